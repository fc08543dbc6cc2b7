package netpol

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"advisor/policies"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

const shopServices = `apiVersion: v1
kind: Service
metadata: {name: w1, namespace: n1}
spec: {clusterIP: 10.96.0.1, selector: {app: w1}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: w2, namespace: n2}
spec: {clusterIP: 10.96.0.2, selector: {app: w2}, ports: [{port: 81, targetPort: 8081}]}
`

// traffic is random workloads with replicas, and random facts of them.
func (c chance) traffic() []policies.Observation {
	var obs []policies.Observation
	for w := range 6 {
		namespace, name := []string{"n1", "n2"}[w%2], fmt.Sprintf("w%d", w/2*2+w%2)
		o := deployment(namespace, name, fmt.Sprintf("10.1.%d.1", w))
		for r := range c.IntN(3) {
			more := o.Containers[0]
			pod := *more.Pod
			more.Pod = &pod
			more.ID, pod.Name, pod.UID = fmt.Sprintf("%s-c%d", name, r), name+fmt.Sprint(r), name+fmt.Sprint(r)
			more.IPs = []string{fmt.Sprintf("10.1.%d.%d", w, r+2), fmt.Sprintf("fd00::%d:%d", w, r+2)}
			o.Containers = append(o.Containers, more)
		}
		obs = append(obs, o)
	}
	for range 12 {
		c.fact(obs)
	}
	return obs
}

// fact adds one random connection, as its client, its server or both see it.
func (c chance) fact(obs []policies.Observation) {
	client, server := &obs[c.IntN(len(obs))], &obs[c.IntN(len(obs))]
	from, to := pick(c, client.Containers...), pick(c, server.Containers...)
	port, local := pick(c, 8080, 8081, 53), 30000+c.IntN(30000)
	connect := policies.Connect{Protocol: "TCP", Remote: to.IPs[0], Port: port, Container: from.ID,
		Source: from.IPs[0], Local: local, Result: trace.ResultEstablished, Seen: c.seen()}
	switch c.IntN(7) {
	case 0:
		connect.Remote, connect.Port = pick(c, "10.96.0.1", "10.96.0.2"), pick(c, 80, 81)
	case 1:
		connect.Remote = pick(c, "198.51.100.7", "198.51.100.20", "2001:db8::7")
	case 2:
		connect.Protocol, connect.Remote, connect.Port = "UDP", "10.96.0.10", 53
		connect.Result = trace.ResultSent
	case 3:
		connect.Remote = "10.7.7.7" // nobody knows it
	case 4:
		server.Accepts = append(server.Accepts, policies.Accept{Protocol: "TCP", Port: port,
			Remote: pick(c, from.IPs[0], "198.51.100.9"), Container: to.ID, Seen: c.seen()})
		return
	case 5: // through an address that only the join of both ends explains
		connect.Remote, connect.Port = "10.96.7.7", 7777
		server.Accepts = append(server.Accepts, policies.Accept{Protocol: "TCP", Port: port,
			Remote: from.IPs[0], PeerPort: local, Container: to.ID, Seen: connect.Seen})
	}
	client.Connects = append(client.Connects, connect)
}

func (c chance) seen() policies.Seen {
	s := seen()
	s.First.Time = noon.Add(time.Duration(c.IntN(100)) * time.Minute)
	return s
}

// TestSynthesizeProperties holds what must be true of every trace: the result
// is proven, the order and the split of the input make no difference, and more
// facts of the same workloads never take anything away.
func TestSynthesizeProperties(t *testing.T) {
	for seed := range uint64(40) {
		c := newChance(seed)
		obs := c.traffic()
		s, text := synthesized(t, shopServices, obs, Options{})
		if _, again := synthesized(t, shopServices, c.shuffled(obs), Options{}); again != text {
			t.Fatalf("seed %d: order matters (-want +got)\n%s", seed, cmp.Diff(text, again))
		}
		if _, again := synthesized(t, shopServices, split(obs), Options{}); again != text {
			t.Fatalf("seed %d: the split matters (-want +got)\n%s", seed, cmp.Diff(text, again))
		}
		more := cloned(obs)
		c.fact(more)
		wider, _ := synthesized(t, shopServices, more, Options{})
		monotone(t, seed, s, wider, inventory(t, shopServices, more))
		if t.Failed() {
			t.Fatalf("seed %d\n%s", seed, text)
		}
	}
}

func monotone(t *testing.T, seed uint64, s, wider Synthesis, inv *Inventory) {
	t.Helper()
	before, after := Set{wrap(s.Policies), inv}, Set{wrap(wider.Policies), inv}
	for _, change := range Compare(before, after, CompareOptions{All: true}) {
		if !change.Before.Minus(change.After).Empty() {
			t.Errorf("seed %d: one more fact took away %+v", seed, change)
		}
	}
}

func cloned(obs []policies.Observation) []policies.Observation {
	obs = slices.Clone(obs)
	for i := range obs {
		obs[i].Connects = slices.Clone(obs[i].Connects)
		obs[i].Accepts = slices.Clone(obs[i].Accepts)
		obs[i].Containers = slices.Clone(obs[i].Containers)
	}
	return obs
}

func (c chance) shuffled(obs []policies.Observation) []policies.Observation {
	obs = cloned(obs)
	c.Shuffle(len(obs), func(i, j int) { obs[i], obs[j] = obs[j], obs[i] })
	for _, o := range obs {
		c.Shuffle(len(o.Connects), func(i, j int) {
			o.Connects[i], o.Connects[j] = o.Connects[j], o.Connects[i]
		})
		c.Shuffle(len(o.Accepts), func(i, j int) {
			o.Accepts[i], o.Accepts[j] = o.Accepts[j], o.Accepts[i]
		})
		c.Shuffle(len(o.Containers), func(i, j int) {
			o.Containers[i], o.Containers[j] = o.Containers[j], o.Containers[i]
		})
	}
	return obs
}

// split makes two observations of each, as of two containers of the same pods.
func split(obs []policies.Observation) []policies.Observation {
	var parts []policies.Observation
	for _, o := range obs {
		first, second := o, o
		second.Workload.Container = "sidecar"
		n, m := len(o.Connects)/2, len(o.Accepts)/2
		first.Connects, second.Connects = o.Connects[:n], o.Connects[n:]
		first.Accepts, second.Accepts = o.Accepts[:m], o.Accepts[m:]
		parts = append(parts, first, second)
	}
	return parts
}

var evidenceLine = regexp.MustCompile(`advisor/evidence: .*`)

// TestRenamedNamespace holds that a namespace is a name and nothing more.
func TestRenamedNamespace(t *testing.T) {
	rename := func(s string) string { return strings.ReplaceAll(s, "n1", "n1renamed") }
	for seed := range uint64(20) {
		obs := newChance(seed).traffic()
		_, text := synthesized(t, shopServices, obs, Options{})
		renamed := cloned(obs)
		for i := range renamed {
			o := &renamed[i]
			o.Workload.Namespace = rename(o.Workload.Namespace)
			for j := range o.Containers {
				pod := *o.Containers[j].Pod
				pod.Namespace = rename(pod.Namespace)
				o.Containers[j].Pod = &pod
			}
		}
		_, got := synthesized(t, rename(shopServices), renamed, Options{})
		want := evidenceLine.ReplaceAllString(rename(text), "")
		if diff := cmp.Diff(want, evidenceLine.ReplaceAllString(got, "")); diff != "" {
			t.Fatalf("seed %d (-want +got)\n%s", seed, diff)
		}
	}
}
