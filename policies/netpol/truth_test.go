package netpol

import (
	"net/netip"
	"strings"
	"testing"
)

// truthWorld is two namespaces and an unlabelled one that no manifest declares.
// web names its ports: http is 8080/TCP, dns is 53/UDP and 5300/TCP. cart calls
// 7070 http.
const truthWorld = `
kind: Namespace
apiVersion: v1
metadata: {name: shop, labels: {team: a}}
---
kind: Namespace
apiVersion: v1
metadata: {name: ops, labels: {team: b, env: prod}}
---
kind: Pod
apiVersion: v1
metadata: {name: web, namespace: shop, labels: {app: web, tier: front}}
spec:
  containers:
  - name: c
    ports:
    - {name: http, containerPort: 8080}
    - {name: dns, containerPort: 53, protocol: UDP}
    - {name: dns, containerPort: 5300}
status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}, {ip: 'fd00::1'}], hostIP: 192.168.0.1}
---
kind: Pod
apiVersion: v1
metadata: {name: cart, namespace: shop, labels: {app: cart}}
spec: {containers: [{name: c, ports: [{name: http, containerPort: 7070}]}]}
status: {podIP: 10.0.0.2, hostIP: 192.168.0.1}
---
kind: Pod
apiVersion: v1
metadata: {name: ops, namespace: ops, labels: {app: ops}}
spec: {containers: [{name: c}]}
status: {podIP: 10.0.1.1, hostIP: 192.168.0.2}
---
kind: Pod
apiVersion: v1
metadata: {name: far, namespace: undeclared, labels: {app: far}}
spec: {containers: [{name: c}]}
---
kind: Pod
apiVersion: v1
metadata: {name: host, namespace: shop, labels: {app: web}}
spec: {hostNetwork: true, containers: [{name: c}]}
status: {podIP: 192.168.0.1, hostIP: 192.168.0.1}
---
kind: Pod
apiVersion: v1
metadata: {name: host2, namespace: shop, labels: {app: web}}
spec: {hostNetwork: true, containers: [{name: c}]}
status: {podIP: 192.168.0.2, hostIP: 192.168.0.2}
`

// truthRow is one of the truth tables: the spec of a policy of namespace shop, a
// connection as "source destination protocol port", and the outcome.
type truthRow struct{ name, spec, connection, want string }

func truths(t *testing.T, rows []truthRow) {
	for _, tt := range rows {
		t.Run(tt.name, func(t *testing.T) {
			set := read(t, truthWorld+"---\n"+policyHead+indent(tt.spec))
			c := connectionOf(t, set.Inventory, tt.connection)
			if v := Evaluate(set.Policies, set.Inventory, c, Dialects()[0]); string(v.Outcome) != tt.want {
				t.Errorf("%s under\n%s\n%s, want %s: %+v", tt.connection, tt.spec, v.Outcome, tt.want, v)
			}
		})
	}
}

func TestTruthTypes(t *testing.T) {
	truths(t, []truthRow{
		{"no policy selects", "podSelector: {matchLabels: {app: cart}}", "ops web TCP 80", "allowed"},
		{"empty podSelector selects all", "podSelector: {}", "ops web TCP 80", "denied"},
		{"absent podSelector selects all", "policyTypes: [Ingress]", "ops web TCP 80", "denied"},
		{"only its own namespace", "podSelector: {}", "web ops TCP 80", "allowed"},
		{"no policyTypes: ingress", "podSelector: {}", "ops cart TCP 1", "denied"},
		{"no policyTypes, no egress rule: egress open", "podSelector: {}", "web ops TCP 1", "allowed"},
		{"no policyTypes, an egress rule: egress too", "egress: [{ports: [{port: 1}]}]",
			"web ops TCP 2", "denied"},
		{"empty policyTypes is absent", "policyTypes: []\negress: [{ports: [{port: 1}]}]",
			"web ops TCP 2", "denied"},
		{"no policyTypes, empty egress list: open", "egress: []", "web ops TCP 2", "allowed"},
		{"Egress only leaves ingress open", "policyTypes: [Egress]", "ops web TCP 80", "allowed"},
		{"Ingress only leaves egress open", "policyTypes: [Ingress]\negress: [{ports: [{port: 1}]}]",
			"web ops TCP 2", "allowed"},
		{"types in any order, twice", "policyTypes: [Egress, Egress]", "web ops TCP 2", "denied"},
		{"no ingress rules deny", "ingress: []", "ops web TCP 80", "denied"},
		{"null ingress denies", "ingress:", "ops web TCP 80", "denied"},
		{"empty rule allows all", "ingress: [{}]", "198.51.100.1 web SCTP 9", "allowed"},
		{"null rule allows all", "ingress:\n-", "198.51.100.1 web SCTP 9", "allowed"},
		{"empty from is every peer", "ingress: [{from: [], ports: [{port: 80}]}]",
			"198.51.100.1 web TCP 80", "allowed"},
		{"null from is every peer", "ingress: [{from: , ports: [{port: 80}]}]",
			"198.51.100.1 web TCP 80", "allowed"},
		{"rules are OR-ed", "ingress: [{ports: [{port: 1}]}, {ports: [{port: 2}]}]",
			"ops web TCP 2", "allowed"},
		{"peers AND ports, not either", "ingress: [{from: [{podSelector: {}}], ports: [{port: 1}]}]",
			"cart web TCP 2", "denied"},
	})
}

func TestTruthPeers(t *testing.T) {
	truths(t, []truthRow{
		{"podSelector peer: its own namespace", "ingress: [{from: [{podSelector: {}}]}]",
			"cart web TCP 80", "allowed"},
		{"podSelector peer: not another namespace", "ingress: [{from: [{podSelector: {}}]}]",
			"ops web TCP 80", "denied"},
		{"podSelector peer: no address", "ingress: [{from: [{podSelector: {}}]}]",
			"198.51.100.1 web TCP 80", "denied"},
		{"namespaceSelector {}: all namespaces", "ingress: [{from: [{namespaceSelector: {}}]}]",
			"ops web TCP 80", "allowed"},
		{"namespaceSelector {}: even undeclared", "ingress: [{from: [{namespaceSelector: {}}]}]",
			"far web TCP 80", "allowed"},
		{"namespaceSelector {}: no address", "ingress: [{from: [{namespaceSelector: {}}]}]",
			"198.51.100.1 web TCP 80", "denied"},
		{"namespaceSelector by label",
			"ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}}]}]",
			"ops web TCP 80", "allowed"},
		{"namespaceSelector by the name every namespace has", "ingress: [{from: [{namespaceSelector: " +
			"{matchLabels: {kubernetes.io/metadata.name: ops}}}]}]", "ops web TCP 80", "allowed"},
		{"labels of an undeclared namespace", "ingress: [{from: [{namespaceSelector: " +
			"{matchLabels: {team: b}}}]}]", "far web TCP 80", "unknown"},
		{"the name of an undeclared namespace", "ingress: [{from: [{namespaceSelector: " +
			"{matchLabels: {kubernetes.io/metadata.name: ops}}}]}]", "far web TCP 80", "denied"},
		{"both in one item: AND", "ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}, " +
			"podSelector: {matchLabels: {app: cart}}}]}]", "ops web TCP 80", "denied"},
		{"as two items: OR", "ingress: [{from: [{namespaceSelector: {matchLabels: {team: b}}}, " +
			"{podSelector: {matchLabels: {app: cart}}}]}]", "cart web TCP 80", "allowed"},
	})
}

func TestTruthSelectors(t *testing.T) {
	truths(t, []truthRow{
		{"In", selectPeer("{key: tier, operator: In, values: [x, front]}"), "web cart TCP 1", "allowed"},
		{"In needs the key", selectPeer("{key: tier, operator: In, values: [x]}"), "cart web TCP 1",
			"denied"},
		{"NotIn", selectPeer("{key: app, operator: NotIn, values: [web]}"), "web cart TCP 1", "denied"},
		{"NotIn without the key", selectPeer("{key: tier, operator: NotIn, values: [front]}"),
			"cart web TCP 1", "allowed"},
		{"Exists", selectPeer("{key: tier, operator: Exists}"), "web cart TCP 1", "allowed"},
		{"Exists needs the key", selectPeer("{key: tier, operator: Exists}"), "cart web TCP 1", "denied"},
		{"DoesNotExist", selectPeer("{key: tier, operator: DoesNotExist}"), "cart web TCP 1", "allowed"},
		{"DoesNotExist with the key", selectPeer("{key: tier, operator: DoesNotExist}"),
			"web cart TCP 1", "denied"},
		{"expressions are AND-ed", selectPeer("{key: app, operator: Exists}, " +
			"{key: tier, operator: DoesNotExist}"), "web cart TCP 1", "denied"},
	})
}

func TestTruthBlocks(t *testing.T) {
	truths(t, []truthRow{
		{"ipBlock", "ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]",
			"198.51.100.1 web TCP 1", "allowed"},
		{"ipBlock: outside", "ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]",
			"198.51.101.1 web TCP 1", "denied"},
		{"ipBlock: except", "ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24, " +
			"except: [198.51.100.0/28]}}]}]", "198.51.100.1 web TCP 1", "denied"},
		{"ipBlock: an except of another block", "ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24, " +
			"except: [198.51.100.0/28]}}, {ipBlock: {cidr: 198.51.100.1/32}}]}]",
			"198.51.100.1 web TCP 1", "allowed"},
		{"ipBlock: host bits", "ingress: [{from: [{ipBlock: {cidr: 198.51.100.9/24}}]}]",
			"198.51.100.1 web TCP 1", "allowed"},
		{"ipBlock: IPv6", "ingress: [{from: [{ipBlock: {cidr: '2001:db8::/32'}}]}]",
			"2001:db8::1 web TCP 1", "allowed"},
		{"ipBlock: the other family", "ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]",
			"198.51.100.1 web TCP 1", "denied"},
		{"ipBlock: a pod's address", "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]",
			"ops web TCP 1", "allowed"},
		{"ipBlock: one of a pod's addresses", "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]",
			"web cart TCP 1", "unknown"},
		{"ipBlock: a pod without address", "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]",
			"far web TCP 1", "unknown"},
	})
}

func TestTruthPorts(t *testing.T) {
	truths(t, []truthRow{
		{"empty ports are all ports of all protocols", "ingress: [{ports: []}]", "ops web SCTP 9",
			"allowed"},
		{"protocol defaults to TCP", "ingress: [{ports: [{port: 80}]}]", "ops web UDP 80", "denied"},
		{"protocol alone: all its ports", "ingress: [{ports: [{protocol: UDP}]}]", "ops web UDP 9",
			"allowed"},
		{"protocol alone: no other protocol", "ingress: [{ports: [{protocol: UDP}]}]",
			"ops web TCP 9", "denied"},
		{"an empty port is all of TCP", "ingress: [{ports: [{}]}]", "ops web TCP 9", "allowed"},
		{"an empty port is only TCP", "ingress: [{ports: [{}]}]", "ops web UDP 9", "denied"},
		{"endPort: first", "ingress: [{ports: [{port: 80, endPort: 90}]}]", "ops web TCP 80", "allowed"},
		{"endPort: last", "ingress: [{ports: [{port: 80, endPort: 90}]}]", "ops web TCP 90", "allowed"},
		{"endPort: beyond", "ingress: [{ports: [{port: 80, endPort: 90}]}]", "ops web TCP 91", "denied"},
		{"endPort has the rule's protocol",
			"ingress: [{ports: [{port: 80, endPort: 90, protocol: UDP}]}]",
			"ops web TCP 85", "denied"},
		{"named port", "ingress: [{ports: [{port: http}]}]", "ops web TCP 8080", "allowed"},
		{"named port: each pod its own", "ingress: [{ports: [{port: http}]}]", "ops cart TCP 7070",
			"allowed"},
		{"named port: not another pod's", "ingress: [{ports: [{port: http}]}]", "ops cart TCP 8080",
			"denied"},
		{"named port: the rule's protocol", "ingress: [{ports: [{port: dns, protocol: UDP}]}]",
			"ops web UDP 53", "allowed"},
		{"named port: the other protocol's number", "ingress: [{ports: [{port: dns}]}]",
			"ops web TCP 53", "denied"},
		{"named port: same name, TCP", "ingress: [{ports: [{port: dns}]}]", "ops web TCP 5300",
			"allowed"},
		{"named port on egress is the destination's",
			"policyTypes: [Egress]\negress: [{ports: [{port: http}]}]", "web cart TCP 7070", "allowed"},
		{"named port on egress is not the source's",
			"policyTypes: [Egress]\negress: [{ports: [{port: http}]}]", "web cart TCP 8080", "denied"},
		{"named port on egress: no address", "policyTypes: [Egress]\negress: [{ports: [{port: http}]}]",
			"web 198.51.100.1 TCP 8080", "denied"},
	})
}

func TestTruthEnds(t *testing.T) {
	truths(t, []truthRow{
		{"egress and ingress both", "policyTypes: [Ingress, Egress]\negress: [{}]", "web cart TCP 1",
			"denied"},
		{"egress to an address", "policyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]",
			"web 198.51.100.1 TCP 1", "allowed"},
		{"a pod reaches itself", "policyTypes: [Ingress, Egress]", "web web TCP 1", "allowed"},
		{"its own node reaches it", "podSelector: {}", "192.168.0.1 web TCP 1", "allowed"},
		{"another node does not", "podSelector: {}", "192.168.0.2 web TCP 1", "denied"},
		{"the host's network is outside", "policyTypes: [Ingress, Egress]", "ops host TCP 1", "allowed"},
		{"selectors do not match the host's network", "ingress: [{from: [{podSelector: {}}]}]",
			"host2 web TCP 1", "denied"},
	})
}

func selectPeer(expressions string) string {
	return "policyTypes: [Ingress]\ningress: [{from: [{podSelector: {matchExpressions: [" +
		expressions + "]}}]}]"
}

func indent(spec string) string {
	return "  " + strings.ReplaceAll(spec, "\n", "\n  ") + "\n"
}

// connectionOf reads "source destination protocol port".
func connectionOf(t *testing.T, inv *Inventory, text string) Connection {
	t.Helper()
	words := strings.Fields(text)
	_, port, err := parsePort(words[3] + "/" + words[2])
	if err != nil {
		t.Fatal(err)
	}
	return Connection{Source: endNamed(t, inv, words[0]), Destination: endNamed(t, inv, words[1]),
		Protocol: words[2], Port: port}
}

func endNamed(t *testing.T, inv *Inventory, name string) Endpoint {
	t.Helper()
	if ip, err := netip.ParseAddr(name); err == nil {
		return Endpoint{IP: ip}
	}
	for _, o := range inv.Owners {
		if o.Workload.Name == name {
			return Endpoint{Pod: o.Pods[0]}
		}
	}
	t.Fatalf("no pod %s", name)
	return Endpoint{}
}

// TestDialects asks where implementations differ.
func TestDialects(t *testing.T) {
	const toPods = "policyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"
	const toNodes = "policyTypes: [Egress]\negress: [{to: [{ipBlock: {cidr: 192.168.0.0/24}}]}]"
	const node = "---\nkind: Node\napiVersion: v1\nmetadata: {name: n1}\n" +
		"status: {addresses: [{address: 192.168.0.2}]}\n"
	for _, tt := range []struct{ dialect, spec, connection, want string }{
		{"kubernetes", toPods, "web ops TCP 1", "allowed"},
		{"np-guard", toPods, "web ops TCP 1", "denied"},
		{"cilium", toPods, "web ops TCP 1", "denied"},
		{"aws-vpc-cni", toPods, "web ops TCP 1", "allowed"},
		{"kubernetes", toNodes, "web 192.168.0.2 TCP 1", "allowed"},
		{"np-guard", toNodes, "web 192.168.0.2 TCP 1", "allowed"},
		{"cilium", toNodes, "web 192.168.0.2 TCP 1", "denied"},
	} {
		set := read(t, truthWorld+node+"---\n"+policyHead+indent(tt.spec))
		dialect, ok := DialectOf(tt.dialect)
		v := Evaluate(set.Policies, set.Inventory, connectionOf(t, set.Inventory, tt.connection), dialect)
		if !ok || string(v.Outcome) != tt.want {
			t.Errorf("%s: %s under %s: %s, want %s", tt.dialect, tt.connection, tt.spec, v.Outcome, tt.want)
		}
	}
}

// TestServicePort holds that one dialect also looks before translation.
func TestServicePort(t *testing.T) {
	set := read(t, truthWorld+"---\n"+policyHead+indent(
		"policyTypes: [Egress]\negress: [{ports: [{port: 8080}]}]"))
	c := connectionOf(t, set.Inventory, "cart web TCP 8080")
	c.ServicePort = 80
	for name, want := range map[string]Outcome{"kubernetes": Allowed, "aws-vpc-cni": Forbidden} {
		dialect, _ := DialectOf(name)
		if v := Evaluate(set.Policies, set.Inventory, c, dialect); v.Outcome != want {
			t.Errorf("%s: %s, want %s", name, v.Outcome, want)
		}
	}
}

// TestReasons holds the words of an explanation: the rule that decides, or the
// nearest miss with what it misses.
func TestReasons(t *testing.T) {
	set := read(t, truthWorld+"---\n"+policyHead+indent(
		"ingress:\n- from: [{podSelector: {matchLabels: {app: cart}}}]\n  ports: [{port: 80}]\n"+
			"- from: [{podSelector: {matchLabels: {app: nobody}}}]\n  ports: [{port: 8080}]"))
	for _, tt := range []struct{ src, dst, port, want string }{
		{"shop/cart", "shop/web", "80", "allowed by a rule\n           rule: shop/p ingress[0]"},
		{"shop/cart", "shop/web", "8080", "peer matches, port differs: 8080 vs TCP 80\n" +
			"           rule: shop/p ingress[0]"},
		{"shop/cart", "shop/web", "80/udp", "peer matches, protocol differs: UDP vs TCP 80"},
		{"ops/ops", "shop/web", "8080", "the nearest rule matches the port but not peer ops/Pod/ops\n" +
			"           rule: shop/p ingress[1]"},
		{"198.51.100.1", "shop/Pod/web", "9", "matches neither peer 198.51.100.1 nor port TCP 9"},
		{"shop/web", "ops/ops", "9", "not isolated: no policy selects it for egress"},
		{"shop/web", "10.0.1.1", "9", "shop/Pod/web -> ops/Pod/ops TCP 9: allowed"},
	} {
		x, err := Explain(set, tt.src, tt.dst, tt.port, Dialects()[0])
		if err != nil || !strings.Contains(x.String(), tt.want) {
			t.Errorf("%s %s %s: %v\n%s\nwant %q", tt.src, tt.dst, tt.port, err, x, tt.want)
		}
	}
	for _, tt := range [][3]string{
		{"nobody", "shop/web", "80"}, {"shop/web", "nobody", "80"}, {"shop/web", "ops/ops", "0"},
		{"shop/web", "ops/ops", "80/icmp"},
	} {
		if x, err := Explain(set, tt[0], tt[1], tt[2], Dialects()[0]); err == nil {
			t.Errorf("%v: no error: %s", tt, x)
		}
	}
}
