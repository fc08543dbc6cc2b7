package netpol

import (
	"strings"
	"testing"

	"advisor/policies"
	"advisor/trace"
)

const (
	nodeWithTwoAddresses = `apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.5}, {type: ExternalIP, address: 3.4.5.6}]}
---
apiVersion: v1
kind: Pod
metadata: {name: ingress-5d9c-x, namespace: edge, uid: ingress-uid, labels: {app: ingress}}
spec: {nodeName: n1, hostNetwork: true, containers: [{name: main}]}
status: {podIP: 192.0.2.5, hostIP: 192.0.2.5}
`
	twoTracks = `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.9, selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-canary, namespace: shop}
spec:
  replicas: 0
  selector: {matchLabels: {app: web, track: canary}}
  template: {metadata: {labels: {app: web, track: canary}}, spec: {containers: [{name: main}]}}
---
apiVersion: v1
kind: Pod
metadata: {name: web-1, namespace: shop, labels: {app: web, track: stable}}
spec: {containers: [{name: main}]}
status: {podIP: 10.0.0.9, hostIP: 192.0.2.5}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.9]}]
ports: [{name: http, port: 8080}]
`
	itsOwnService = `apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {clusterIP: 10.96.0.9, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
`
)

// onHost is a pod in its node's network, and where it talks from and to.
func onHost(local string) observed {
	o := observed{deployment("edge", "ingress", "192.0.2.5")}
	o.Containers[0].Pod.HostNetwork = true
	return o.from(local, 40000)
}

// from gives the last connection its own end.
func (o observed) from(address string, port int) observed {
	for i := range o.Connects {
		o.Connects[i].Source, o.Connects[i].Local = address, port
	}
	return o
}

// at gives the accepted connections the address that they came to.
func (o observed) at(address string) observed {
	for i := range o.Accepts {
		o.Accepts[i].Address = address
	}
	return o
}

// TestEndsThatAreNotOnePod holds that both ends of what was seen get the rule that
// lets it pass where one is a node with several addresses, one of the replicas
// behind a Service, or one of several workloads that a Service selects.
func TestEndsThatAreNotOnePod(t *testing.T) {
	ingress := onHost("192.0.2.5").connect("TCP", "10.0.0.2", 8080, "established").from("192.0.2.5", 40000).
		accept("TCP", "10.0.0.2", 9100, 41000).at("192.0.2.5")
	web := observed{deployment("shop", "web", "10.0.0.2")}
	served := web.accept("TCP", "192.0.2.5", 8080, 40000).at("10.0.0.2").
		connect("TCP", "192.0.2.5", 9100, "established").from("10.0.0.2", 41000)
	second := deployment("shop", "web", "10.0.0.3").Containers[0]
	second.ID, second.Pod = "web-2", &trace.Pod{Namespace: "shop", Name: "web-5d9c-y", UID: "web-2-uid",
		Labels: second.Pod.Labels, Owner: second.Pod.Owner}
	replicas := web.connect("TCP", "10.96.0.9", 80, "established")
	replicas.Containers = append(replicas.Containers, second)
	for _, tt := range []struct {
		name, manifests string
		obs             []policies.Observation
		has, hasNot     []string
	}{
		{"a node of two addresses", nodeWithTwoAddresses, all(ingress, served),
			[]string{"# edge/ingress-5d9c-x\n  - from:\n    - ipBlock:\n        cidr: 192.0.2.5/32", "cidr: 192.0.2.5/32\n    ports:\n    - protocol: TCP\n      port: 9100"},
			[]string{"3.4.5.6"}},
		{"replicas behind their own Service", itsOwnService, all(replicas),
			[]string{"# web:80 -> 8080\n  - to:\n    - podSelector:\n        matchLabels:\n          app: web\n", "  ingress:\n  # web\n"}, nil},
		{"a Service that selects more than its endpoints", twoTracks,
			all(observed{deployment("shop", "cli", "10.0.0.4")}.connect("TCP", "10.96.0.9", 80, "established")),
			[]string{"assumed: dns,service-selector\n", "app: web\n    ports:\n    - protocol: TCP\n      port: 8080"}, nil},
	} {
		_, text := synthesized(t, tt.manifests, tt.obs, Options{})
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

// TestAloneBehindItsService holds that a single pod that asks its own Service gets
// no rule for itself.
func TestAloneBehindItsService(t *testing.T) {
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.96.0.9", 80, "established")
	s, text := synthesized(t, itsOwnService, all(web), Options{})
	if strings.Contains(text, "8080") || !strings.Contains(notes(s), "traffic with itself") {
		t.Errorf("got\n%s\n%s", text, notes(s))
	}
}

// TestPodsAsTheyRun holds what a pod's manifest says of it while it runs: the ports
// of containers that run on, the hooks that the kubelet calls, and all addresses of
// its node.
func TestPodsAsTheyRun(t *testing.T) {
	inv := inventory(t, `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  initContainers:
  - {name: setup, ports: [{name: http, containerPort: 81}]}
  - {name: proxy, restartPolicy: Always, ports: [{name: admin, containerPort: 82}]}
  containers:
  - name: main
    ports: [{name: http, containerPort: 80}]
    lifecycle: {preStop: {httpGet: {path: /drain, port: 9000}}}
status: {podIP: 10.0.0.2, hostIP: 192.0.2.5, hostIPs: [{ip: 192.0.2.5}, {ip: "2001:db8::5"}]}
`, nil)
	pod := inv.Owners[0].Pods[0]
	var ports []string
	for _, p := range pod.Ports {
		ports = insert(ports, p.Name)
	}
	if len(pod.Ports) != 2 || strings.Join(ports, " ") != "admin http" {
		t.Errorf("ports %v", pod.Ports)
	}
	if !pod.probes(9000) || pod.probes(80) {
		t.Error("the hook's port is not the kubelet's, or another is")
	}
	if len(pod.HostIPs) != 2 {
		t.Errorf("addresses of the node: %v", pod.HostIPs)
	}
}

// TestNeverARule holds what is never a rule, whoever is at the other end, and that
// it is told.
func TestNeverARule(t *testing.T) {
	for ip, reason := range map[string]string{
		"255.255.255.255": "multicast and broadcast", "224.0.0.251": "multicast and broadcast", "ff02::fb": "multicast and broadcast",
		"127.0.0.1": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback", "0.0.0.0": "unspecified",
		"fe80::1": "link-local traffic of IPv6", "10.0.0.2": "with itself",
	} {
		web := observed{deployment("shop", "web", "10.0.0.2")}.connect("UDP", ip, 6000, "sent")
		s, text := synthesized(t, "", all(web), Options{})
		if strings.Contains(text, "6000") || !strings.Contains(notes(s), reason) {
			t.Errorf("%s: %s\n%s", ip, notes(s), text)
		}
	}
	metadata := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "169.254.169.254", 80, "established")
	if _, text := synthesized(t, "", all(metadata), Options{}); !strings.Contains(text, "cidr: 169.254.169.254/32") {
		t.Errorf("no rule for the metadata service:\n%s", text)
	}
}

// TestJobsSelector holds that a Job's policy does not hang on what is another one's
// in the next run.
func TestJobsSelector(t *testing.T) {
	labels := "{app: migrate, controller-uid: u1, job-name: migrate, batch.kubernetes.io/job-name: migrate}"
	job := `apiVersion: batch/v1
kind: Job
metadata: {name: migrate, namespace: shop}
spec:
  selector: {matchLabels: {controller-uid: u1}}
  template:
    metadata: {labels: ` + labels + `}
    spec: {containers: [{name: main}]}
`
	run := observed{deployment("shop", "migrate", "10.0.0.2")}.connect("TCP", "198.51.100.1", 443, "established")
	run.Workload.Kind = "Job"
	run.Containers[0].Pod.Owner = &trace.Owner{Kind: "Job", Name: "migrate"}
	run.Containers[0].Pod.Labels = map[string]string{"app": "migrate", "controller-uid": "u1", "job-name": "migrate",
		"batch.kubernetes.io/job-name": "migrate"}
	_, text := synthesized(t, job, all(run), Options{})
	if !strings.Contains(text, "  podSelector:\n    matchLabels:\n      app: migrate\n  policyTypes:") {
		t.Errorf("got\n%s", text)
	}
}

// TestFinishedPodsHaveNoAddress holds that what an address was before does not make
// ambiguous who has it now.
func TestFinishedPodsHaveNoAddress(t *testing.T) {
	const pods = `apiVersion: v1
kind: Pod
metadata: {name: once, namespace: shop, labels: {app: once}}
spec: {containers: [{name: main}]}
status: {phase: Succeeded, podIP: 10.0.0.9}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: main}]}
status: {phase: Running, podIP: 10.0.0.9}
`
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.0.0.9", 5432, "established")
	s, text := synthesized(t, pods, all(web), Options{})
	if len(s.Unresolved) > 0 || !strings.Contains(text, "app: db\n    ports:\n    - protocol: TCP\n      port: 5432") {
		t.Errorf("unresolved %v in\n%s", s.Unresolved, text)
	}
}

// TestServiceWithoutSelector holds that a Service whose endpoints others write, and
// nobody knows, is not taken for all pods of its namespace.
func TestServiceWithoutSelector(t *testing.T) {
	const db = `apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIP: 10.96.0.20, ports: [{port: 5432}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bystander, namespace: shop, labels: {app: bystander}}
spec: {containers: [{name: main}]}
`
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "10.96.0.20", 5432, "established")
	s, text := synthesized(t, db, all(web), Options{})
	if strings.Contains(text, "bystander") || !strings.Contains(text, "cidr: 10.96.0.20/32") || len(s.Unresolved) != 1 {
		t.Errorf("unresolved %v in\n%s", s.Unresolved, text)
	}
}

// TestNamesOfTwoKinds holds that two workloads of one name get policies of two.
func TestNamesOfTwoKinds(t *testing.T) {
	web := observed{deployment("shop", "web", "10.0.0.2")}.connect("TCP", "198.51.100.1", 443, "established")
	set := observed{deployment("shop", "web", "10.0.0.3")}.connect("TCP", "198.51.100.1", 443, "established")
	set.Workload.Kind = "StatefulSet"
	set.Containers[0].ID, set.Connects[0].Container = "web-set", "web-set"
	set.Containers[0].Pod = &trace.Pod{Namespace: "shop", Name: "web-0", UID: "web-0", Labels: map[string]string{"app": "web", "kind": "set"},
		Owner: &trace.Owner{Kind: "StatefulSet", Name: "web"}}
	s, _ := synthesized(t, "", all(web, set), Options{})
	if len(s.Policies) != 2 || s.Policies[0].Name == s.Policies[1].Name {
		t.Errorf("policies %v", s.Policies)
	}
}
