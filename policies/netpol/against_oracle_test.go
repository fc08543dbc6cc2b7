package netpol_test

import (
	"fmt"
	"strings"
	"testing"

	"advisor/policies/manifest"
	"advisor/policies/netpol"

	sigsyaml "sigs.k8s.io/yaml"
)

// TestEvaluateAgainstOracle asks the evaluator and the oracle about every
// connection between the ends of random worlds, where everything is known.
func TestEvaluateAgainstOracle(t *testing.T) {
	const worlds = 400
	allowed, denied := 0, 0
	for seed := range uint64(worlds) {
		w := newWorld(seed)
		evaluator, ends := w.evaluator(t)
		for i, src := range w.ends {
			for j, dst := range w.ends {
				if i == j {
					continue
				}
				for _, port := range worldPorts {
					for _, protocol := range worldProtocols {
						want := netpol.Forbidden
						if w.allowed(src, dst, protocol, port) {
							want = netpol.Allowed
							allowed++
						} else {
							denied++
						}
						c := netpol.Connection{
							Source: ends[i], Destination: ends[j],
							Protocol: string(protocol), Port: int(port),
						}
						if got := evaluator.Evaluate(c); got.Outcome != want {
							t.Fatalf("seed %d: %v -> %v %s/%d: %s, oracle says %s\n%+v\n%s",
								seed, ends[i], ends[j], protocol, port, got.Outcome, want, got, w.text(t))
						}
					}
				}
			}
		}
	}
	if allowed == 0 || denied == 0 {
		t.Errorf("%d allowed and %d denied: the worlds decide nothing", allowed, denied)
	}
}

// evaluator loads the world's manifests as a user would hand them over.
func (w *world) evaluator(t *testing.T) (*netpol.Evaluator, []netpol.Endpoint) {
	t.Helper()
	objects, errs := manifest.Read("world.yaml", []byte(w.text(t)))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var declared []netpol.Policy
	for _, p := range w.policies {
		declared = append(declared, netpol.Policy{NetworkPolicy: p})
	}
	inv, errs := netpol.NewInventory(objects, nil)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	dialect, ok := netpol.DialectOf("")
	if !ok {
		dialect = netpol.Dialects()[0]
	}
	var ends []netpol.Endpoint
	for i, end := range w.ends {
		ends = append(ends, endpoint(i, end))
	}
	return netpol.NewEvaluator(declared, inv, dialect), ends
}

func endpoint(i int, end oraclePod) netpol.Endpoint {
	if end.namespace == "" {
		return netpol.Endpoint{IP: end.ip}
	}
	pod := &netpol.Pod{
		Namespace: end.namespace, Name: fmt.Sprintf("pod%d", i), Labels: end.labels,
		HostNetwork: end.hostNetwork, PortsKnown: true,
	}
	pod.IPs = append(pod.IPs, end.ip)
	for _, p := range end.ports {
		pod.Ports = append(pod.Ports, netpol.Port{
			Name: p.Name, Protocol: string(p.Protocol), Number: int(p.ContainerPort),
		})
	}
	return netpol.Endpoint{Pod: pod, IP: end.ip}
}

// text is the world's namespaces and policies as a manifest.
func (w *world) text(t *testing.T) string {
	t.Helper()
	var docs []string
	for _, name := range worldNamespaces {
		body, err := sigsyaml.Marshal(map[string]any{
			"apiVersion": "v1", "kind": "Namespace",
			"metadata": map[string]any{"name": name, "labels": w.namespaces[name]},
		})
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, string(body))
	}
	for _, p := range w.policies {
		body, err := sigsyaml.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, string(body))
	}
	return strings.Join(docs, "---\n")
}
