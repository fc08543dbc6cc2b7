package netpol

import (
	"strings"
	"testing"
	"time"

	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// resolving is a workload whose resolv.conf names a server.
func resolving(server string, search ...string) observed {
	o := observed{deployment("shop", "web", "10.0.0.2")}
	o.Containers[0].Resolv = &trace.Resolv{Nameservers: []string{server}, Search: search}
	return o
}

const (
	inClusterDomain = "svc.cluster.local"
	nodeLocal       = `apiVersion: apps/v1
kind: DaemonSet
metadata: {name: node-local-dns, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: node-local-dns}}
  template:
    metadata: {labels: {k8s-app: node-local-dns}}
    spec: {hostNetwork: true, containers: [{name: cache}]}
`
	openshiftDNS = `apiVersion: v1
kind: Service
metadata: {name: dns-default, namespace: openshift-dns}
spec:
  clusterIP: 172.30.0.10
  selector: {dns.operator.openshift.io/daemonset-dns: default}
  ports: [{port: 53, protocol: UDP, targetPort: 5353}, {port: 53, protocol: TCP, targetPort: 5353}]
`
)

// TestDNS goes through the ways in which clusters and machines resolve names.
func TestDNS(t *testing.T) {
	for _, tt := range []struct {
		name, manifests string
		o               observed
		has, hasNot     []string
	}{
		{"kube-dns behind its ClusterIP", "",
			resolving("10.96.0.10", inClusterDomain).connect("UDP", "10.96.0.10", 53, "sent"),
			[]string{"k8s-app: kube-dns", "protocol: TCP\n      port: 53", "assumed: dns-protocol\n"},
			[]string{"10.96.0.10", "DNS (assumed)"}},
		{"OpenShift by its manifest", openshiftDNS,
			resolving("172.30.0.10", inClusterDomain).connect("UDP", "172.30.0.10", 53, "sent"),
			[]string{"dns.operator.openshift.io/daemonset-dns: default", "port: 5353"}, []string{"port: 53\n"}},
		{"OpenShift by its address", "",
			resolving("172.30.0.10", inClusterDomain).connect("TCP", "172.30.0.10", 53, "established"),
			[]string{"metadata.name: openshift-dns", "protocol: UDP\n      port: 5353"}, nil},
		{"a cache on the node", "",
			resolving("169.254.20.10", inClusterDomain).connect("UDP", "169.254.20.10", 53, "sent"),
			[]string{"cidr: 169.254.20.10/32", "protocol: TCP\n      port: 53"}, []string{"kube-dns"}},
		{"a cache on the node, not asked", "",
			resolving("169.254.20.10", inClusterDomain).connect("TCP", "198.51.100.1", 443, "established"),
			[]string{"cidr: 169.254.20.10/32", "# DNS (assumed)", "assumed: dns\n"}, []string{"kube-dns"}},
		{"a cache that takes the place of the ClusterIP", nodeLocal,
			resolving("10.96.0.10", inClusterDomain).connect("UDP", "10.96.0.10", 53, "sent"),
			[]string{"k8s-app: kube-dns", "cidr: 10.96.0.10/32"}, nil},
		{"a cache that takes the place of the ClusterIP, not asked", nodeLocal,
			resolving("10.96.0.10", inClusterDomain).connect("TCP", "198.51.100.1", 443, "established"),
			[]string{"k8s-app: kube-dns", "cidr: 10.96.0.10/32", "# DNS (assumed)"}, nil},
		{"a resolver outside", "",
			resolving("9.9.9.9").connect("UDP", "9.9.9.9", 53, "sent"),
			[]string{"cidr: 9.9.9.9/32"}, []string{"kube-dns", "DNS (assumed)"}},
		{"another resolver than its own", "",
			resolving("10.96.0.10", inClusterDomain).connect("UDP", "9.9.9.9", 53, "sent"),
			[]string{"cidr: 9.9.9.9/32", "kube-dns", "# DNS (assumed)"}, nil},
		{"no egress at all", "", resolving("10.96.0.10", inClusterDomain).
			accept("TCP", "198.51.100.1", 80, 4000), nil, []string{"port: 53", "egress:"}},
		{"a container that resolves by loopback", "", loopbackResolver(), nil, []string{"port: 53"}},
	} {
		_, text := synthesized(t, tt.manifests, all(tt.o), Options{})
		for _, want := range tt.has {
			if !strings.Contains(text, want) {
				t.Errorf("%s: no %q in\n%s", tt.name, want, text)
			}
		}
		for _, never := range tt.hasNot {
			if strings.Contains(text, never) {
				t.Errorf("%s: %q in\n%s", tt.name, never, text)
			}
		}
	}
}

// loopbackResolver is a container of Docker on a network of its own.
func loopbackResolver() observed {
	o := container("web", "172.18.0.2").connect("TCP", "198.51.100.1", 443, "established").
		connect("UDP", "127.0.0.11", 53, "sent")
	o.Containers[0].Resolv = &trace.Resolv{Nameservers: []string{"127.0.0.11"}}
	return o
}

// TestResolveByTime holds that an address is a pod's only while it has it.
func TestResolveByTime(t *testing.T) {
	old, young := deployment("shop", "old", "10.0.0.9"), deployment("shop", "young", "10.0.0.9")
	old.Containers[0].Started = noon.Add(-2 * time.Hour)
	old.Exits = []trace.Exit{{Container: "old-c", Time: noon.Add(-time.Hour)}}
	young.Containers[0].Started = noon.Add(-30 * time.Minute)
	for _, tt := range []struct {
		minutes int
		want    string
	}{
		{0, "app: young"}, {-90, "app: old"},
		{-45, "it was the address of shop/Deployment/old, but not at that time"},
	} {
		web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.0.0.9", 80, "established")
		web.Connects[0].First.Time = noon.Add(time.Duration(tt.minutes) * time.Minute)
		_, text := synthesized(t, "", all(web, observed{old}, observed{young}), Options{Namespace: "shop"})
		_, web2, _ := strings.Cut(text, "Deployment/web")
		if !strings.Contains(web2, tt.want) {
			t.Errorf("%d minutes: no %q in\n%s", tt.minutes, tt.want, web2)
		}
	}
}

// TestAmbiguous holds that two owners of an address at one time are never a guess.
func TestAmbiguous(t *testing.T) {
	a, b := deployment("shop", "a", "10.0.0.9"), deployment("shop", "b", "10.0.0.9")
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.0.0.9", 80, "established")
	obs := all(web, observed{a}, observed{b})
	inv := inventory(t, "", obs)
	if _, err := Synthesize(obs, inv, Options{Unresolved: UnresolvedFail}); err == nil ||
		!strings.Contains(err.Error(), "ambiguous") {
		t.Errorf("fail: %v", err)
	}
	s, text := synthesized(t, "", obs, Options{Unresolved: UnresolvedOmit})
	if strings.Contains(text, "10.0.0.9") || len(s.Unresolved) != 1 || !s.Unresolved[0].Omitted {
		t.Errorf("omit: %+v\n%s", s.Unresolved, text)
	}
	s, text = synthesized(t, "", obs, Options{})
	if !strings.Contains(text, "cidr: 10.0.0.9/32") || len(s.Unresolved) != 1 ||
		!strings.Contains(text, "ambiguous-address") {
		t.Errorf("ipblock: %+v\n%s", s.Unresolved, text)
	}
}

// TestEndpoints holds that the older object beside EndpointSlices says as much.
func TestEndpoints(t *testing.T) {
	const service = `apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.9, ports: [{name: sql, port: 5432}]}
---
`
	const slice = `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: db-x, namespace: shop, labels: {kubernetes.io/service-name: db}}
endpoints: [{addresses: [198.51.100.9]}]
ports: [{name: sql, port: 15432}]
`
	const older = `apiVersion: v1
kind: Endpoints
metadata: {name: db, namespace: shop}
subsets:
- addresses: [{ip: 198.51.100.9}]
  notReadyAddresses: [{ip: 198.51.100.10}]
  ports: [{name: sql, port: 15432}]
`
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.96.0.9", 5432, "established")
	for name, yaml := range map[string]string{"alone": older + "---\n" + service, "with a slice": service + older + slice} {
		inv := inventory(t, yaml, all(web))
		flows, _ := Flows(all(web), inv)
		if len(flows) != 1 || flows[0].String() != "shop/Deployment/web -> 198.51.100.9 TCP 15432" {
			t.Errorf("%s: %v", name, flows)
		}
		if n := len(inv.Service("shop", "db").Endpoints); n != 1 {
			t.Errorf("%s: %d endpoints, want 1", name, n)
		}
	}
}

// TestTranslated holds that the address that the node's connection tracking
// gave is who answered, where neither the other end nor a manifest says so.
func TestTranslated(t *testing.T) {
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.96.0.9", 80, "established").
		connect("TCP", "10.96.0.10", 443, "established")
	web.Connects[0].Translated, web.Connects[0].TranslatedPort = "10.0.0.3", 7070
	web.Connects[1].Translated, web.Connects[1].TranslatedPort = "198.51.100.9", 8443
	cart := observed{deployment("shop", "cart", "10.0.0.3")}
	obs := all(web, cart)
	flows, _ := Flows(obs, inventory(t, "", obs))
	var got []string
	for _, f := range flows {
		got = append(got, f.String())
	}
	want := []string{"shop/Deployment/web -> 198.51.100.9 TCP 8443", "shop/Deployment/web -> shop/Deployment/cart TCP 7070"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-want +got)\n%s", diff)
	}
	const service = `apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {clusterIP: 10.96.0.9, selector: {tier: back}, ports: [{port: 80, targetPort: http}]}
`
	flows, _ = Flows(obs, inventory(t, service, obs)) // its selector matches nobody, and the port has no number
	if len(flows) != 2 || flows[1].Destination.String() != "shop/Deployment/cart" || flows[1].Via.String() != "shop/cart:80" {
		t.Errorf("through a Service without known pods: %v", flows)
	}
}

// TestTranslatedElsewhere holds that who answered counts beside the backends
// that manifests name, which may be older.
func TestTranslatedElsewhere(t *testing.T) {
	const service = `apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {clusterIP: 10.96.0.9, selector: {app: old}, ports: [{port: 80, targetPort: 7070}]}
---
apiVersion: v1
kind: Pod
metadata: {name: old, namespace: shop, labels: {app: old}}
status: {podIP: 10.0.0.4}
`
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.96.0.9", 80, "established")
	web.Connects[0].Translated, web.Connects[0].TranslatedPort = "10.0.0.3", 7070
	obs := all(web, observed{deployment("shop", "cart", "10.0.0.3")})
	flows, _ := Flows(obs, inventory(t, service, obs))
	var got []string
	for _, f := range flows {
		got = append(got, f.String())
	}
	want := []string{"shop/Deployment/web -> shop/Deployment/cart TCP 7070", "shop/Deployment/web -> shop/Pod/old TCP 7070"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("flows (-want +got)\n%s", diff)
	}
	synthesized(t, service, obs, Options{})
}
