package netpol

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

const clusterManifests = `apiVersion: v1
kind: Service
metadata: {name: kubernetes, namespace: default}
spec: {clusterIP: 10.96.0.1, ports: [{name: https, port: 443, targetPort: 6443}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
ports: [{name: https, port: 6443, protocol: TCP}]
endpoints: [{addresses: [192.168.0.1]}]
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec:
  clusterIP: 10.96.0.7
  selector: {app: cart}
  ports: [{port: 80, targetPort: http}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template:
    metadata: {labels: {app: cart, version: v1}}
    spec:
      containers:
      - name: main
        ports: [{name: http, containerPort: 7070}]
        readinessProbe: {httpGet: {port: http}}
---
apiVersion: v1
kind: Node
metadata: {name: node1}
spec: {podCIDRs: [10.0.0.0/24]}
status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}
---
apiVersion: v1
kind: Pod
metadata:
  name: cart-5d9c-x
  namespace: shop
  uid: cart-uid
  labels: {app: cart, version: v1}
  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: cart-5d9c, uid: r,
    controller: true}]
spec:
  nodeName: node1
  containers: [{name: main, ports: [{name: http, containerPort: 7070}]}]
status: {podIP: 10.0.0.3, hostIP: 192.168.0.1}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata:
  name: cart-5d9c
  namespace: shop
  ownerReferences: [{apiVersion: apps/v1, kind: Deployment, name: cart, controller: true, uid: d}]
spec: {}
`

// clusterTraffic is a workload that uses a Service, the API server, DNS and an
// address outside, and one that the kubelet probes and another node connects to.
func clusterTraffic() []observed {
	web := observed{deployment("shop", "web", "10.0.0.2")}.
		connect("TCP", "10.96.0.7", 80, trace.ResultEstablished).
		connect("TCP", "10.96.0.1", 443, trace.ResultEstablished).
		connect("UDP", "10.96.0.10", 53, trace.ResultSent).
		connect("TCP", "93.184.216.34", 443, trace.ResultEstablished).
		connect("TCP", "93.184.216.35", 443, trace.ResultTimeout)
	cart := observed{deployment("shop", "cart", "10.0.0.3")}.
		accept("TCP", "192.168.0.1", 7070, 40000).
		accept("TCP", "10.0.0.1", 7070, 40000).
		accept("TCP", "10.0.0.2", 7070, 40000)
	return []observed{web, cart}
}

// TestLanguages writes the same synthesis in each language there is.
func TestLanguages(t *testing.T) {
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	s, text := synthesized(t, clusterManifests, all(clusterTraffic()...), Options{Version: "test"})
	golden(t, "cluster.yaml", []byte(text))
	documents, err := s.Cilium()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "cluster.cilium.yaml", stream(documents))
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "cluster.txt", list)
	shop, _ := synthesized(t, "", outsideShop(), Options{Version: "test"})
	golden(t, "outside.nft", shop.NFTables())
	if path := documents[0].Path; path != "shop/deployment-cart.yaml" {
		t.Errorf("path %s", path)
	}
}

// TestOptions looks for what each choice changes.
func TestOptions(t *testing.T) {
	for _, tt := range []struct {
		name       string
		opt        Options
		has, hasNo string
	}{
		{"default", Options{}, "port: 7070", "port: 80\n"},
		{"both ports", Options{ServicePorts: ServicePortsBoth}, "port: 80\n", ""},
		{"default deny", Options{DefaultDeny: true}, "name: default-deny", ""},
		{"one namespace", Options{Namespace: "other"}, "", "kind"},
		{"aggregate", Options{CIDRAggregate: Aggregation{Bits: 8, Added: 300}}, "203.0.113.0/30",
			"203.0.113.1/32"},
		{"aggregate little", Options{CIDRAggregate: Aggregation{Bits: 8}}, "203.0.113.1/32", ""},
		{"any", Options{ExternalIngress: ExternalAny}, "# everyone", "198.51.100.9"},
		{"none", Options{ExternalIngress: ExternalNone}, "", "198.51.100.9"},
	} {
		obs := clusterTraffic()
		obs[0] = obs[0].connect("TCP", "203.0.113.1", 8443, trace.ResultEstablished).
			connect("TCP", "203.0.113.2", 8443, trace.ResultEstablished).
			accept("TCP", "198.51.100.9", 8080, 40000)
		_, text := synthesized(t, clusterManifests, all(obs...), tt.opt)
		if !strings.Contains(text, tt.has) || tt.hasNo != "" && strings.Contains(text, tt.hasNo) {
			t.Errorf("%s: want %q, not %q, in\n%s", tt.name, tt.has, tt.hasNo, text)
		}
	}
}

func TestOptionsRejected(t *testing.T) {
	for _, opt := range []Options{
		{Unresolved: "maybe"}, {ServicePorts: "some"}, {ExternalIngress: "all"}, {Dialect: "latin"},
	} {
		if _, err := Synthesize(nil, inventory(t, "", nil), opt); err == nil {
			t.Errorf("%+v: no error", opt)
		}
	}
}
