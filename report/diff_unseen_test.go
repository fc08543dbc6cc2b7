package report

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"advisor/policies"

	"github.com/google/go-cmp/cmp"
)

// unseenManifests let web and admin reach cart, and everyone reach web.
const unseenManifests = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 7070}, {port: 9090}]
  - from: [{podSelector: {matchLabels: {app: admin}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {}}]
    ports: [{port: 8080}]
`

// TestFlowsOfComparison tells what was seen and allowed from what was only one
// of the two.
func TestFlowsOfComparison(t *testing.T) {
	var seen []policies.Observation
	text := unseenManifests
	for i, name := range []string{"web", "cart", "admin", "one", "two", "three"} {
		seen = append(seen, shopPod(name, fmt.Sprintf("10.0.0.%d", i+1)))
		text += "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + ", namespace: shop}\n" +
			"spec:\n  selector: {matchLabels: {app: " + name + "}}\n  template:\n" +
			"    metadata: {labels: {app: " + name + "}}\n    spec: {containers: [{name: main, image: x}]}\n"
	}
	talk := func(from, to, port int) {
		seen[from].Connects = append(seen[from].Connects, policies.Connect{Protocol: "TCP",
			Remote: fmt.Sprintf("10.0.0.%d", to+1), Port: port, Result: "established",
			Container: seen[from].Containers[0].ID, Seen: pageSeen("app")})
	}
	talk(0, 1, 7070) // web to cart, as allowed
	talk(3, 1, 7070) // one to cart, which is not
	talk(3, 4, 1234) // one to two, which no policy governs

	file := filepath.Join(t.TempDir(), "k8s.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := LoadManifests([]string{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Diff(Observed{Observations: seen}, m, Comparison{Kinds: []string{KindNetpol}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range r.pageFlows() {
		got = append(got, fmt.Sprintf("%s -> %s %s %q", f.From, f.To, f.Service(), f.Class))
	}
	want := []string{
		`shop/one -> shop/cart TCP/7070 "missing"`,
		`shop/one -> shop/two TCP/1234 "unprotected"`,
		`shop/web -> shop/cart TCP/7070 ""`,
		`shop/admin -> shop/cart any "excess"`,
		`shop/any of 5 others -> shop/web TCP/8080 "excess"`,
		`shop/web -> shop/cart TCP/9090 "excess"`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-want +got):\n%s", diff)
	}
	for _, f := range r.Flows {
		if f.Allowed == "allowed" && f.Observed && f.Reason != "" && !strings.Contains(f.Reason, "shop/cart ingress[0]") {
			t.Errorf("%s -> %s: %q, want the rule that allows it", f.From, f.To, f.Reason)
		}
	}
}
