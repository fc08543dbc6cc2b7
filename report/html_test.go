package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/report/html"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

var pageStart = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func pageSeen(comm string) policies.Seen {
	return policies.Seen{First: trace.Sighting{Time: pageStart.Add(time.Minute), Comm: comm},
		Containers: 1}
}

// shopPod is an observation of one pod of a Deployment in the namespace shop.
func shopPod(name, ip string) policies.Observation {
	return policies.Observation{
		Workload: policies.Workload{
			Namespace: "shop", Kind: "Deployment", Name: name, Container: "main"},
		Containers: []trace.Container{{
			ID: name + "-c", Runtime: "containerd", IPs: []string{ip},
			Pod: &trace.Pod{Namespace: "shop", Name: name + "-5d9c-x", UID: name + "-uid",
				Labels: map[string]string{"app": name}, Owner: &trace.Owner{Kind: "Deployment", Name: name}},
		}},
		Evidence: policies.Evidence{Start: pageStart, End: pageStart.Add(time.Hour),
			LastNew: pageStart.Add(time.Minute), Replicas: 1, Nodes: []string{"node-a"}, Complete: trace.CompleteTrue},
	}
}

// shopReport is made from a web server that calls a cart, with what the
// packages of policies really make of that.
func shopReport(t *testing.T) *Report {
	t.Helper()
	web, cart := shopPod("web", "10.0.0.1"), shopPod("cart", "10.0.0.2")
	web.Connects = []policies.Connect{{Protocol: "TCP", Remote: "10.0.0.2", Port: 7070,
		Result: trace.ResultEstablished, Container: "web-c", Seen: pageSeen("web")}}
	web.Capabilities = []policies.Capability{{Phase: trace.PhaseRun, Name: "NET_BIND_SERVICE",
		Allowed: true,
		Syscall: "bind", Outcome: trace.OutcomeOK, UserNS: trace.UserNSContainer, Seen: pageSeen("web")}}
	cart.Accepts = []policies.Accept{{Protocol: "TCP", Port: 7070, Remote: "10.0.0.1",
		Container: "cart-c", Seen: pageSeen("cart")}}
	observations := []policies.Observation{web, cart}
	made, err := Policies(observations, Request{Kinds: []string{KindNetpol, KindCaps}})
	if err != nil {
		t.Fatal(err)
	}
	r := &Report{Traces: []string{"trace.log"}}
	for _, o := range observations {
		w := Workload{Workload: o.Workload, Observed: true, Evidence: o.Evidence}
		for _, p := range made {
			if p.Workload == o.Workload || samePod(p.Workload, o.Workload) {
				w.Policies = append(w.Policies, p)
			}
		}
		r.Workloads = append(r.Workloads, w)
	}
	return r
}

func TestPageOfObservations(t *testing.T) {
	p := shopReport(t).page()
	if got := len(p.Workloads); got != 2 {
		t.Fatalf("%d articles, want one for each workload", got)
	}
	web := p.Workloads[0]
	caps := []html.Capability{{Name: "NET_BIND_SERVICE", Need: html.Needed,
		Reason: web.Capabilities[0].Reason, Seen: web.Capabilities[0].Seen}}
	if diff := cmp.Diff(caps, web.Capabilities); diff != "" {
		t.Errorf("capabilities (-want +got):\n%s", diff)
	}
	flow := "flow/shop/web>shop/cart/TCP/7070"
	if len(p.Flows) != 1 || p.Flows[0].Key() != flow {
		t.Errorf("flows: %v, want %s", p.Flows, flow)
	}
	want := map[string]string{KindNetpol: flow, KindCaps: "capability/NET_BIND_SERVICE"}
	for _, policy := range web.Policies {
		if got := ruleText(policy); !strings.Contains(got, want[policy.Kind]) {
			t.Errorf("%s: rules %q, want one for %s", policy.Kind, got, want[policy.Kind])
		}
	}
	if p.Curve.Step != time.Minute || p.Curve.New[1] == 0 {
		t.Errorf("learning curve %v, want what was seen in the second minute", p.Curve)
	}
}

// ruleText is the facts of each rule with the text of its lines.
func ruleText(p html.Policy) string {
	lines := strings.Split(p.Text, "\n")
	var b strings.Builder
	for _, r := range p.Rules {
		b.WriteString(strings.Join(r.Facts, " ") + ": " + strings.Join(lines[r.First-1:r.Last],
			"|") + "\n")
	}
	return b.String()
}

// TestSavedReport gives the same page from a report that was read back.
func TestSavedReport(t *testing.T) {
	r := shopReport(t)
	r.Schema = Schema
	r.Findings = []policies.Finding{{Class: policies.Excess, Rule: caps.RuleUnused,
		Workload: r.Workloads[1].Workload, Subject: "NET_RAW", Message: "granted, never needed"}}
	var saved, direct, later bytes.Buffer
	if err := r.JSON(&saved); err != nil {
		t.Fatal(err)
	}
	read, err := Read("saved.json", &saved)
	if err != nil {
		t.Fatal(err)
	}
	for w, r := range map[*bytes.Buffer]*Report{&direct: r, &later: read} {
		if err := r.HTML(w); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(direct.String(), later.String()); diff != "" {
		t.Errorf("another page from the saved report (-direct +later):\n%s", diff)
	}
	if !strings.Contains(direct.String(), "NET_RAW: granted, unused") {
		t.Error("the finding is not in the matrix of capabilities")
	}
}

// TestArticles holds where findings about pods go.
func TestArticles(t *testing.T) {
	of := func(name, container string) policies.Workload {
		return policies.Workload{Namespace: "shop", Kind: "Deployment", Name: name, Container: container}
	}
	r := &Report{
		Workloads: []Workload{
			{Workload: of("web", "main"), Observed: true}, {Workload: of("cart", "main"), Observed: true},
			{Workload: of("cart", "proxy"), Declared: true},
		},
		Findings: []policies.Finding{
			{Rule: "netpol/missing-flow", Workload: of("web", "")},
			{Rule: "netpol/missing-flow", Workload: of("cart", "")},
			{Rule: "caps/missing", Workload: of("cart", "proxy"), Subject: "CHOWN"},
		},
	}
	got := make(map[string]int)
	for _, a := range r.page().Workloads {
		got[a.Workload.String()] = len(a.Findings)
		if other := a.Workload.Container == ""; a.Other != other {
			t.Errorf("%s: taken for no workload: %v, want %v", a.Workload, a.Other, other)
		}
	}
	want := map[string]int{
		"shop/Deployment/web container=main":   1,
		"shop/Deployment/cart container=main":  0,
		"shop/Deployment/cart container=proxy": 1,
		"shop/Deployment/cart":                 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings of each article (-want +got):\n%s", diff)
	}
}

func TestPeerOf(t *testing.T) {
	tests := []struct {
		text string
		want html.Peer
	}{
		{"10.1.2.3", html.Peer{Name: "10.1.2.3"}},
		{"10.0.0.0/8", html.Peer{Name: "10.0.0.0/8"}},
		{"fd00::1", html.Peer{Name: "fd00::1"}},
		{"shop/cart", html.Peer{Namespace: "shop", Name: "cart"}},
		{"shop/Deployment/cart", html.Peer{Namespace: "shop", Name: "cart"}},
		{"shop/Deployment/cart container=main", html.Peer{Namespace: "shop", Name: "cart"}},
		{"Container/web", html.Peer{Namespace: "containers", Name: "web"}},
		{"", html.Peer{}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, peerOf(tt.text)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestFlowClass(t *testing.T) {
	tests := []struct {
		name string
		flow Flow
		want policies.Class
	}{
		{"nothing compared", Flow{Observed: true}, ""},
		{"allowed and seen", Flow{Observed: true, Allowed: "allowed"}, ""},
		{"seen, not allowed", Flow{Observed: true, Allowed: "denied"}, policies.Missing},
		{"allowed, never seen", Flow{Allowed: "allowed"}, policies.Excess},
		{"not decided", Flow{Observed: true, Allowed: "unknown"}, policies.Unknown},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := flowClass(tt.flow); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestLearningCurve(t *testing.T) {
	at := func(minutes ...int) (list []time.Time) {
		for _, m := range minutes {
			list = append(list, pageStart.Add(time.Duration(m)*time.Minute))
		}
		return list
	}
	tests := []struct {
		name   string
		window time.Duration
		times  []time.Time
		want   html.Curve
	}{
		{"no fact", time.Hour, nil, html.Curve{}},
		{"no window", 0, at(0), html.Curve{}},
		{"minutes, and a clock that was set back", 3 * time.Minute, at(-9, 0, 2, 99),
			html.Curve{Start: pageStart, Step: 5 * time.Second,
				New: fill(36, map[int]int{0: 2, 24: 1, 35: 1})}},
		{"a year", 365 * 24 * time.Hour, at(1),
			html.Curve{Start: pageStart, Step: 72 * time.Hour, New: fill(122, map[int]int{0: 1})}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := policies.Evidence{Start: pageStart, End: pageStart.Add(tt.window)}
			if diff := cmp.Diff(tt.want, learningCurve(e, tt.times)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func fill(n int, at map[int]int) []int {
	list := make([]int, n)
	for i, v := range at {
		list[i] = v
	}
	return list
}

// TestAllEvidence counts a loss that touches two workloads once.
func TestAllEvidence(t *testing.T) {
	loss := trace.Loss{Probe: "network", Stage: "map", Count: 3, Reason: "full"}
	one := policies.Evidence{Start: pageStart, End: pageStart.Add(time.Hour), Replicas: 2, Lost: 3,
		Losses: []trace.Loss{loss}, Nodes: []string{"b"}, Complete: trace.CompleteFalse}
	two := policies.Evidence{Start: pageStart.Add(-time.Hour), End: pageStart, Replicas: 1, Lost: 3,
		Losses: []trace.Loss{loss}, Nodes: []string{"a", "b"}, Complete: trace.CompleteTrue}
	r := &Report{Workloads: []Workload{
		{Observed: true, Evidence: one}, {Observed: true,
			Evidence: two}, {Evidence: one}, // the last only declared
	}}
	want := policies.Evidence{Start: pageStart.Add(-time.Hour), End: pageStart.Add(time.Hour),
		Replicas: 3,
		Lost:     3, Losses: []trace.Loss{loss}, Nodes: []string{"a", "b"}, Complete: trace.CompleteFalse}
	if diff := cmp.Diff(want, r.allEvidence()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
