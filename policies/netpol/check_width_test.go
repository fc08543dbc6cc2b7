package netpol

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"advisor/policies"
	"advisor/policies/manifest"
	"advisor/policies/netpol/iprange"

	"github.com/google/go-cmp/cmp"
)

// widthShop is a page, a cart, two jobs and a nameserver, of which the cart was
// recorded: the page and one address asked it, and it asked the nameserver.
const widthShop = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec: {selector: {matchLabels: {app: web}}, template: {metadata: {labels: {app: web, team: a}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: report, namespace: shop}
spec: {selector: {matchLabels: {app: report}}, template: {metadata: {labels: {app: report, team: a}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: report, namespace: ops}
spec: {selector: {matchLabels: {app: report}}, template: {metadata: {labels: {app: report, team: b}}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec: {selector: {matchLabels: {k8s-app: kube-dns}}, template: {metadata: {labels: {k8s-app: kube-dns}}}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {team: b}}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: a}}
---
`

func widthTraffic() []policies.Observation {
	web := observed{deployment("shop", "web", "10.0.0.2")}
	web.Containers[0].Pod.Labels["team"] = "a"
	cart := observed{deployment("shop", "cart", "10.0.0.3")}.
		accept("TCP", "10.0.0.2", 7070, 40000).
		accept("TCP", "203.0.113.7", 7070, 40001).
		connect("UDP", "10.96.0.10", 53, "sent")
	return all(web, cart)
}

// widthOf checks a policy for the cart, whose rules are text, and returns what
// is too wide: rule, subject, message and evidence.
func widthOf(t *testing.T, annotations, rules string) []string {
	t.Helper()
	text := widthShop + `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop, annotations: {` + annotations + `}}
spec:
  podSelector: {matchLabels: {app: cart}}
` + rules
	obs := widthTraffic()
	objects, errs := manifest.Read("m.yaml", []byte(text))
	inv, more := NewInventory(objects, obs)
	declared, invalid := Parse(objects, "")
	for _, err := range slices.Concat(errs, more, invalid) {
		t.Fatal(err)
	}
	var found []string
	for _, f := range Check(declared, inv, obs, Dialect{}) {
		if f.Class == policies.Excess {
			found = append(found, strings.TrimPrefix(f.Rule, "netpol/")+" | "+f.Subject+" | "+f.Message+
				" | "+strings.Join(f.Evidence, "; "))
		}
	}
	return found
}

// ingressOf is a rule that lets the address and more in.
func ingressOf(peers, ports string) string {
	rule := "  - "
	if peers != "" {
		rule += "from: [" + peers + "]\n    "
	}
	if ports != "" {
		rule += "ports: [" + ports + "]"
	}
	return "  ingress:\n" + rule + "\n"
}

type widthRow struct {
	name, rules string
	want        []string
}

func widthsOfPeers() []widthRow {
	const port = "{port: 7070}"
	const web = "{podSelector: {matchLabels: {app: web}}}"
	return []widthRow{
		{"exact", ingressOf("{ipBlock: {cidr: 203.0.113.7/32}}, "+web, port), nil},
		{"half of it was seen", ingressOf("{ipBlock: {cidr: 203.0.113.6/31}}", port), nil},
		{"a quarter of it was seen", ingressOf("{ipBlock: {cidr: 203.0.113.4/30}}", port), []string{
			"wide-peer | ingress 203.0.113.4/30 | holds 4 addresses, of which 1 was seen:" +
				" 203.0.113.7/32 would do | seen: 203.0.113.7"}},
		{"all of IPv4", ingressOf("{ipBlock: {cidr: 0.0.0.0/0, except: [203.0.113.6/32]}}", port), []string{
			"wide-peer | ingress 0.0.0.0/0 203.0.113.6/32 | holds 4294967295 addresses, of which 2 were seen:" +
				" shop/[pods with app=web], 203.0.113.7/32 would do | seen: 10.0.0.2, 203.0.113.7"}},
		{"everyone", ingressOf("", port), []string{
			"wide-peer | ingress everyone : TCP 7070 | allows everyone:" +
				" shop/[pods with app=web], 203.0.113.7/32 would do | seen: shop/Deployment/web; seen: 203.0.113.7"}},
		{"each peer by itself", ingressOf("{ipBlock: {cidr: 203.0.113.0/24}}, {ipBlock: {cidr: 203.0.113.7/32}}",
			port), []string{
			"wide-peer | ingress 203.0.113.0/24 | holds 256 addresses, of which 1 was seen:" +
				" 203.0.113.7/32 would do | seen: 203.0.113.7"}},
		{"all pods of the namespace", ingressOf("{podSelector: {}}", port), []string{
			"wide-peer | ingress shop/[all pods] | also selects shop/Deployment/report, never seen:" +
				" shop/[pods with app=web] would do | seen: shop/Deployment/web"}},
		{"all pods with a label", ingressOf("{podSelector: {matchLabels: {team: a}}}", port), []string{
			"wide-peer | ingress shop/[pods with team=a] | also selects shop/Deployment/report, never seen:" +
				" shop/[pods with app=web] would do | seen: shop/Deployment/web"}},
		{"all namespaces", ingressOf("{namespaceSelector: {}}", port), []string{
			"wide-peer | ingress entire-cluster | also selects kube-system/Deployment/coredns," +
				" ops/Deployment/report, shop/Deployment/report, never seen:" +
				" shop/[pods with app=web] would do | seen: shop/Deployment/web"}},
		{"a label in all namespaces", ingressOf(
			"{namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}", port), []string{
			"wide-peer | ingress [any namespace]/[pods with app=web] | selects pods of every namespace, and" +
				" those seen are all in shop: shop/[pods with app=web] would do | seen: shop/Deployment/web"}},
		{"namespaces with a label", ingressOf(
			"{namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: web}}}", port), nil},
		{"egress to everyone", "  egress:\n  - ports: [{port: 53, protocol: UDP}, {port: 53}]\n", []string{
			"wide-peer | egress everyone : TCP 53,UDP 53 | allows everyone:" +
				" kube-system/[pods with k8s-app=kube-dns] would do | seen: kube-system/Deployment/coredns"}},
	}
}

func widthsOfPorts() []widthRow {
	const web = "{podSelector: {matchLabels: {app: web}}}"
	return []widthRow{
		{"two ports, one used", ingressOf(web, "{port: 7070, endPort: 7071}"), nil},
		{"a range", ingressOf(web, "{port: 7070, endPort: 7079}"), []string{
			"wide-port | ingress shop/[pods with app=web] : TCP 7070-7079 | holds 10 ports, of which 1 was seen:" +
				" TCP 7070 would do | seen: TCP 7070"}},
		{"a protocol", ingressOf(web, "{protocol: TCP}"), []string{
			"wide-port | ingress shop/[pods with app=web] : TCP 1-65535 | holds 65535 ports, of which 1 was seen:" +
				" TCP 7070 would do | seen: TCP 7070"}},
		{"no ports", ingressOf(web, ""), []string{
			"wide-port | ingress shop/[pods with app=web] : All Connections | holds 196605 ports, of which 1 was" +
				" seen: TCP 7070 would do | seen: TCP 7070"}},
		{"nothing at all", "  ingress:\n  - {}\n", []string{
			"allows-everything | ingress[0] | an empty rule allows every peer on every port; a dash with nothing" +
				" behind it is one, too | "}},
	}
}

func TestCheckWidth(t *testing.T) {
	for _, row := range append(widthsOfPeers(), widthsOfPorts()...) {
		t.Run(row.name, func(t *testing.T) {
			if diff := cmp.Diff(row.want, widthOf(t, "", row.rules)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestCheckDeclaredAssumptions holds that what a policy says to assume is no
// excess, and that it says so of nothing else.
func TestCheckDeclaredAssumptions(t *testing.T) {
	const port = "{port: 7070}"
	wide := ingressOf("{ipBlock: {cidr: 203.0.113.0/24}}", port)
	dns := "  egress:\n  - to: [{ipBlock: {cidr: 169.254.20.10/32}}]\n    ports: [{port: 53, protocol: UDP}]\n"
	for _, row := range []struct {
		name, annotations, rules string
		excess                   int
	}{
		{"everyone", "advisor/assumed: external-ingress", ingressOf("", port), 0},
		{"everyone, another assumption", "advisor/assumed: dns", ingressOf("", port), 1},
		{"a nameserver", `advisor/assumed: "dns,shared-labels"`, dns, 0},
		{"a nameserver, not assumed", "", dns, 1},
		{"within no bound: one address makes no prefix", `advisor/cidr-aggregate: "8"`, wide, 1},
		{"no bound", `advisor/cidr-aggregate: "wide"`, wide, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := widthOf(t, row.annotations, row.rules); len(got) != row.excess {
				t.Errorf("%d findings, want %d: %q", len(got), row.excess, got)
			}
		})
	}
}

// TestCheckOwnOutput holds that what is made of a trace has nothing missing,
// invalid or too much against that trace, whatever the options.
func TestCheckOwnOutput(t *testing.T) {
	choices := []Options{
		{}, {CIDRAggregate: Aggregation{8, unbounded}}, {CIDRAggregate: Aggregation{16, 300}},
		{ExternalIngress: ExternalAny}, {ServicePorts: ServicePortsBoth},
		{Unresolved: UnresolvedOmit, Dialect: "aws-vpc-cni", ServicePorts: ServicePortsBoth},
	}
	for seed := range uint64(60) {
		c := newChance(seed)
		obs := c.traffic()
		for i := range obs { // addresses that can be merged
			obs[i].Connects = append(obs[i].Connects, policies.Connect{Protocol: "TCP", Port: 443, Result: "established",
				Remote: fmt.Sprintf("198.51.100.%d", c.IntN(256)), Seen: seen(), Container: obs[i].Containers[0].ID})
		}
		opt := choices[seed%uint64(len(choices))]
		s, text := synthesized(t, shopServices, obs, opt)
		dialect, _ := DialectOf(opt.Dialect)
		for _, f := range Check(wrap(s.Policies), inventory(t, shopServices, obs), obs, dialect) {
			omitted := f.Class == policies.Missing && opt.Unresolved == UnresolvedOmit
			if f.Class != policies.Unknown && f.Class != policies.Unprotected && !omitted {
				t.Errorf("seed %d, %+v: %s %s %s: %s\n%s", seed, opt, f.Rule, f.Workload, f.Subject, f.Message, text)
			}
		}
	}
}

// TestNarrower holds what stands in for a range of which a part was seen.
func TestNarrower(t *testing.T) {
	u := &use{rule: rule{policy: &Policy{}}}
	block := func(cidrs ...string) []iprange.Range {
		var ranges []iprange.Range
		for _, c := range cidrs {
			ranges = append(ranges, iprange.Of(netip.MustParsePrefix(c)))
		}
		return ranges
	}
	spread := func(n int) []netip.Addr { // evenly over all of IPv4
		var list []netip.Addr
		for i := range n {
			list = append(list, netip.AddrFrom4([4]byte{byte(i * 256 / n), 7, 7, 7}))
		}
		return list
	}
	for _, row := range []struct {
		name     string
		declared []iprange.Range
		seen     []netip.Addr
		want     string
	}{
		{"one of many", block("10.0.0.0/8"), parseAddrs("10.1.2.3"), "10.1.2.3/32"},
		{"eight stay apart", block("0.0.0.0/0"), spread(8), "0.7.7.7/32, 32.7.7.7/32, 64.7.7.7/32," +
			" 96.7.7.7/32, 128.7.7.7/32, 160.7.7.7/32, 192.7.7.7/32, 224.7.7.7/32"},
		{"from everywhere", block("0.0.0.0/0"), spread(200), ""},
		{"many neighbours", block("10.0.0.0/8"), parseAddrs("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5",
			"10.0.0.6", "10.0.0.7", "10.9.0.1", "10.9.0.9"), "10.0.0.1/32, 10.0.0.2/31, 10.0.0.4/31, 10.0.0.6/31," +
			" 10.9.0.1/32, 10.9.0.9/32"},
		{"IPv6", block("2001:db8::/32"), parseAddrs("2001:db8::7"), "2001:db8::7/128"},
		{"not over an exception", block("10.0.0.0/31", "10.0.0.4/30"), parseAddrs("10.0.0.0"), "10.0.0.0/32"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := joinPrefixes(u.narrower(row.declared, row.seen)); got != row.want {
				t.Errorf("%s, want %s", got, row.want)
			}
		})
	}
}
