package netpol

import (
	"testing"

	"advisor/policies"
	"advisor/policies/manifest"
)

const unusualDNS = `apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system}
spec:
  clusterIP: 10.96.0.10
  selector: {k8s-app: kube-dns}
  ports: [{name: dns, port: 53, protocol: UDP, targetPort: 10053}, {name: tcp, port: 53, targetPort: 10053}]
---
apiVersion: v1
kind: Pod
metadata: {name: coredns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec: {containers: [{name: main}]}
status: {podIP: 10.0.0.53}
`

// TestOwnPoliciesAreClean holds what is made of a recording against the same
// recording: nothing in it is too wide, unused or denied, whatever was assumed.
func TestOwnPoliciesAreClean(t *testing.T) {
	asks := func(o observed) observed { return o.connect("TCP", "198.51.100.1", 443, "established") }
	for name, tt := range map[string]struct {
		manifests string
		o         observed
		opt       Options
	}{
		"assumed, of the cluster":         {"", asks(resolving("10.96.0.10", inClusterDomain)), Options{}},
		"assumed, of the node":            {"", asks(resolving("169.254.20.10", inClusterDomain)), Options{}},
		"assumed, of a cache":             {nodeLocal, asks(resolving("10.96.0.10", inClusterDomain)), Options{}},
		"assumed, of OpenShift":           {openshiftDNS, asks(resolving("172.30.0.10", inClusterDomain)), Options{}},
		"assumed, on an unusual port":     {unusualDNS, asks(resolving("10.96.0.10", inClusterDomain)), Options{}},
		"assumed, of an unusual resolver": {"", asks(resolving("9.9.9.9")), Options{}},
		"assumed, beside metrics": {unusualDNS,
			resolving("10.96.0.10", inClusterDomain).connect("TCP", "10.0.0.53", 9153, "established"), Options{}},
		"assumed, beside another": {"",
			resolving("169.254.20.10", inClusterDomain).connect("UDP", "9.9.9.9", 53, "sent"), Options{}},
		"asked over UDP":           {unusualDNS, resolving("10.96.0.10", inClusterDomain).connect("UDP", "10.96.0.10", 53, "sent"), Options{}},
		"Service ports, too":       {unusualDNS + "---\n" + itsOwnService, asks(resolving("10.96.0.10", inClusterDomain)), Options{ServicePorts: ServicePortsBoth}},
		"everyone from outside":    {"", resolving("10.96.0.10", inClusterDomain).accept("TCP", "198.51.100.1", 443, 4000), Options{ExternalIngress: ExternalAny}},
		"default deny":             {"", asks(resolving("10.96.0.10", inClusterDomain)), Options{DefaultDeny: true}},
		"nothing but a nameserver": {"", resolving("10.96.0.10", inClusterDomain).connect("TCP", "10.96.0.10", 53, "established"), Options{}},
	} {
		obs := all(tt.o)
		_, text := synthesized(t, tt.manifests, obs, tt.opt)
		both := text
		if tt.manifests != "" {
			both += "---\n" + tt.manifests
		}
		objects, errs := manifest.Read("m.yaml", []byte(both))
		declared, bad := Parse(objects, "")
		inv, more := NewInventory(objects, obs)
		if len(errs)+len(bad)+len(more) > 0 {
			t.Fatal(name, errs, bad, more)
		}
		for _, f := range Check(declared, inv, obs, Dialect{}) {
			own := f.Workload.Kind == "NetworkPolicy" || f.Workload.Name == "web"
			if own && f.Class != policies.Unknown {
				t.Errorf("%s: %s %s: %s\n%s", name, f.Rule, f.Subject, f.Message, text)
			}
		}
	}
}
