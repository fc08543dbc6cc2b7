package netpol

import (
	"testing"

	"advisor/policies/manifest"

	"github.com/google/go-cmp/cmp"
)

// TestCheck runs every rule of Check on one small shop.
func TestCheck(t *testing.T) {
	web := observed{deployment("shop", "web", "10.0.0.2")}.
		connect("TCP", "10.0.0.3", 7070, "established").
		connect("TCP", "10.0.0.3", 9090, "established")
	cart := observed{deployment("shop", "cart", "10.0.0.3")}.
		accept("TCP", "10.0.0.9", 7070, 40000)
	obs := all(web, cart)
	objects, errs := manifest.Read("m.yaml", []byte(checkManifests))
	inv, more := NewInventory(objects, obs)
	declared, invalid := Parse(objects, "")
	for _, err := range append(append(errs, more...), invalid...) {
		t.Fatal(err)
	}
	var got []string
	for _, f := range Check(declared, inv, obs, Dialect{}) {
		got = append(got, string(f.Class)+" "+f.Rule+" "+f.Workload.String()+" "+f.Subject+" "+
			f.Position.String())
	}
	want := []string{
		"missing netpol/missing-flow shop/Deployment/cart <- 10.0.0.9 TCP/7070 m.yaml:11:5",
		"missing netpol/missing-flow shop/Deployment/cart <- shop/Deployment/web TCP/9090 m.yaml:11:5",
		"invalid netpol/cidr-spelling shop/NetworkPolicy/cart 192.0.2.7/24 m.yaml:14:7",
		"invalid netpol/no-op shop/NetworkPolicy/host host network m.yaml:47:3",
		"invalid netpol/selects-nothing shop/NetworkPolicy/nobody pods with app=nobody" +
			" m.yaml:41:3",
		"unprotected netpol/not-isolated shop/Deployment/cart egress ",
		"unprotected netpol/not-isolated shop/Deployment/web ingress ",
		"excess netpol/unused-peer shop/NetworkPolicy/cart ingress 192.0.2.7/24 m.yaml:14:7",
		"excess netpol/unused-peer shop/NetworkPolicy/cart ingress shop/[pods with app=host]" +
			" m.yaml:13:7",
		"excess netpol/unused-port shop/NetworkPolicy/cart ingress 192.0.2.7/24, shop/[pods" +
			" with app=host], shop/[pods with app=web] : TCP 7071 m.yaml:17:7",
		"excess netpol/unused-rule shop/NetworkPolicy/cart ingress shop/[pods with app=gone]" +
			" : TCP 1 m.yaml:9:5",
		"excess netpol/allows-everything shop/NetworkPolicy/web egress[0] m.yaml:26:4",
		"excess netpol/redundant shop/NetworkPolicy/web-dns NetworkPolicy shop/web-dns" +
			" m.yaml:28:1",
		"excess netpol/unused-rule shop/NetworkPolicy/web-dns egress everyone : UDP 53" +
			" m.yaml:35:5",
		"unknown netpol/other-policies shop/CiliumNetworkPolicy/other CiliumNetworkPolicy" +
			" m.yaml:58:1",
		"unknown netpol/unresolved-peer shop/Deployment/cart <- 10.0.0.9 TCP/7070 ",
		"unknown netpol/peer-selects-nothing shop/NetworkPolicy/cart shop/[pods with" +
			" app=gone] m.yaml:9:12",
		"unknown netpol/peer-selects-nothing shop/NetworkPolicy/cart shop/[pods with" +
			" app=host] m.yaml:13:7",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

const checkManifests = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector:
    matchLabels: {app: cart}
  policyTypes: [Ingress]
  ingress:
  - from: [{podSelector: {matchLabels: {app: gone}}}]
    ports: [{port: 1}]
  - from:
    - podSelector: {matchLabels: {app: web}}
    - podSelector: {matchLabels: {app: host}}
    - ipBlock: {cidr: 192.0.2.7/24}
    ports:
    - port: 7070
    - port: 7071
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
  -
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web-dns, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Egress]
  egress:
  - ports: [{port: 53, protocol: UDP}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nobody, namespace: shop}
spec:
  podSelector: {matchLabels: {app: nobody}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: host, namespace: shop}
spec:
  podSelector: {matchLabels: {app: host}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: host, namespace: shop}
spec:
  selector: {matchLabels: {app: host}}
  template:
    metadata: {labels: {app: host}}
    spec: {hostNetwork: true, containers: [{name: c}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: other, namespace: shop}
`
