package netpol

import (
	"net/netip"
	"strings"
	"testing"

	"advisor/policies"
)

// portPod is a Deployment's manifest with ports.
func portPod(name, ports string) string {
	return `apiVersion: apps/v1
kind: Deployment
metadata: {name: ` + name + `, namespace: shop}
spec:
  selector: {matchLabels: {app: ` + name + `}}
  template:
    metadata: {labels: {app: ` + name + `, tier: back}}
    spec: {containers: [{name: c, ports: [` + ports + `]}]}
---
`
}

// TestNamedPorts holds when a name stands for a port: the proof is of the names.
func TestNamedPorts(t *testing.T) {
	const http = "{name: http, containerPort: 7070}"
	for _, row := range []struct {
		name, manifests string
		named           bool
	}{
		{"declared", portPod("cart", http), true},
		{"one of two", portPod("cart", http+", {name: metrics, containerPort: 9090}"), true},
		{"another number", portPod("cart", "{name: http, containerPort: 8080}"), false},
		{"two numbers", portPod("cart", http+", {name: http, containerPort: 8080}"), false},
		{"another protocol", portPod("cart", "{name: http, containerPort: 7070, protocol: UDP}"), false},
		{"no name", portPod("cart", "{containerPort: 7070}"), false},
		{"no manifest", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.0.0.3", 7070, "established")
			cart := observed{deployment("shop", "cart", "10.0.0.3")}
			obs := all(web, cart)
			s, text := synthesized(t, row.manifests, obs, Options{NamedPorts: true})
			if got := strings.Count(text, "port: http\n"); (got == 2) != row.named || got == 1 {
				t.Errorf("%d ports by name\n%s", got, text)
			}
			if _, numbers := synthesized(t, row.manifests, obs, Options{}); strings.Contains(numbers, "http") {
				t.Errorf("by name without being asked\n%s", numbers)
			}
			inv := inventory(t, row.manifests, obs)
			for _, f := range Check(wrap(s.Policies), inv, obs, Dialect{}) {
				if f.Class == policies.Missing || f.Class == policies.Excess {
					t.Errorf("%s %s", f.Rule, f.Subject)
				}
			}
		})
	}
}

// TestNamedPortsOfAService holds that a name counts only where it is the same
// in all pods behind a Service.
func TestNamedPortsOfAService(t *testing.T) {
	const service = `apiVersion: v1
kind: Service
metadata: {name: back, namespace: shop}
spec: {clusterIP: 10.96.0.7, selector: {tier: back}, ports: [{port: 80, targetPort: 7070}]}
---
`
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.96.0.7", 80, "established")
	cart := portPod("cart", "{name: http, containerPort: 7070}")
	for name, want := range map[string]int{"http": 1, "web": 0} {
		twin := portPod("twin", "{name: "+name+", containerPort: 7070}")
		_, text := synthesized(t, service+cart+twin, all(web), Options{NamedPorts: true})
		if got := strings.Count(text, "port: http\n"); got != want {
			t.Errorf("the twin calls it %s: %d ports by name, want %d\n%s", name, got, want, text)
		}
	}
}

// TestNodeRange holds that a named range stands for nodes, and only for them.
func TestNodeRange(t *testing.T) {
	const node = `apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.10}]}
`
	web := observed{deployment("shop", "web", "10.0.0.2")}.
		connect("TCP", "192.0.2.10", 9100, "established"). // a known node
		connect("TCP", "10.9.0.7", 9100, "established").   // one that nobody knows
		connect("TCP", "198.51.100.7", 443, "established")
	ranges := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("10.9.0.0/16")}
	for name, row := range map[string]struct {
		opt  Options
		want []string
		note bool
	}{
		"no range": {Options{}, []string{"cidr: 192.0.2.10/32", "cidr: 10.9.0.7/32", "cidr: 198.51.100.7/32"}, true},
		"ranges": {Options{NodeCIDRs: ranges, Unresolved: UnresolvedFail}, []string{"cidr: 192.0.2.0/24", "cidr: 10.9.0.0/16",
			"cidr: 198.51.100.7/32", "advisor/node-cidr: 10.9.0.0/16,192.0.2.0/24", "nodes"}, false},
	} {
		s, text := synthesized(t, node, all(web), row.opt)
		for _, want := range row.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", name, want, text)
			}
		}
		if got := strings.Contains(notes(s), "--node-cidr names the range"); got != row.note {
			t.Errorf("%s: notes\n%s", name, notes(s))
		}
		for _, f := range Check(wrap(s.Policies), inventory(t, node, all(web)), all(web), Dialect{}) {
			if f.Class == policies.Missing || f.Class == policies.Excess {
				t.Errorf("%s: %s %s: %s", name, f.Rule, f.Subject, f.Message)
			}
		}
	}
}
