package netpol

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"advisor/policies"
	"advisor/policies/manifest"
)

// fleet is workloads that each let all, or some, others in on a port.
func fleet(t *testing.T, n int, port func(i int) int) Set {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: w%03[1]d, namespace: shop}
spec:
  replicas: %[2]d
  selector: {matchLabels: {app: w%03[1]d}}
  template: {metadata: {labels: {app: w%03[1]d, half: "%[3]d"}}, spec: {containers: [{name: main}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: w%03[1]d, namespace: shop}
spec:
  podSelector: {matchLabels: {app: w%03[1]d}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {half: "%[4]d"}}}]
    ports: [{port: %[5]d}]
`, i, 1+i%2, i%2, i/2%2, port(i))
	}
	objects, errs := manifest.Read("m", []byte(b.String()))
	declared, bad := Parse(objects, "")
	inv, more := NewInventory(objects, nil)
	if len(errs)+len(bad)+len(more) > 0 {
		t.Fatal(errs, bad, more)
	}
	return Set{declared, inv}
}

// TestGroupedChangesAreExact holds groups against the list one by one: as many
// connections of each kind, with each set of ports, and of each workload.
func TestGroupedChangesAreExact(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		before := fleet(t, 24, func(int) int { return 8080 + r.IntN(2) })
		after := fleet(t, 24, func(int) int { return 8080 + r.IntN(2) })
		for _, who := range []string{"", "w003", "w010"} {
			opt := CompareOptions{}
			if who != "" {
				opt.Concerns = func(w policies.Workload) bool { return w.Name == who }
			}
			single := tallied(Compare(before, after, opt))
			opt.most = 1
			list := Compare(before, after, opt)
			if grouped := tallied(list); fmt.Sprint(single) != fmt.Sprint(grouped) {
				t.Errorf("seed %d, %q: %v one by one, and %v in groups", seed, who, single, grouped)
			}
			for _, c := range list {
				if c.Pairs > 1 && !strings.Contains(c.Info, fmt.Sprint(c.Pairs)) {
					t.Errorf("%d connections are not told: %q", c.Pairs, c.Info)
				}
			}
		}
	}
}

// tallied is how many connections change from which ports to which.
func tallied(list []Change) map[string]int {
	n := make(map[string]int)
	for _, c := range list {
		if c.Direction == "" {
			n[string(c.Kind)+" "+c.Before.String()+" "+c.After.String()] += max(1, c.Pairs)
		}
	}
	return n
}

// TestMillionsOfChanges holds that what many change alike is few lines.
func TestMillionsOfChanges(t *testing.T) {
	before := fleet(t, 700, func(int) int { return 8080 })
	after := fleet(t, 700, func(int) int { return 9090 })
	list := Compare(before, after, CompareOptions{})
	total := 0
	for _, c := range list {
		total += max(1, c.Pairs)
	}
	// Half of all pairs; of the pods with themselves those of several replicas only.
	if len(list) > 10 || total < 240_000 || total > 245_100 {
		t.Errorf("%d lines of %d connections: %v", len(list), total, list[:min(3, len(list))])
	}
}
