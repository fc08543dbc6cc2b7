package netpol

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	networkingv1 "k8s.io/api/networking/v1"
)

// nftHead explains the ruleset and replaces an earlier one in a single
// transaction.
const nftHead = `# Load it with nft -f, remove it with: nft delete table inet advisor
# Traffic between containers of one bridge passes here only with
# net.bridge.bridge-nf-call-iptables = 1 (module br_netfilter).
# Addresses are those that were recorded: give containers fixed ones.
table inet advisor
delete table inet advisor
table inet advisor {
`

// nftPass lets through what no policy speaks of: answers, and protocols such as
// ICMP, without which IPv6 finds no neighbours.
const nftPass = "\t\tct state established,related accept\n" +
	"\t\tmeta l4proto != { tcp, udp, sctp } accept\n"

// NFTables is the policies of the workloads outside Kubernetes as a ruleset:
// what was observed passes, everything else from and to their addresses is
// dropped and counted. A workload without an address of its own is limited at
// the ports it answers on; its egress cannot be told from the host's, and is
// left open and said so.
func (s Synthesis) NFTables() []byte {
	var b strings.Builder
	b.WriteString(s.header())
	b.WriteString(nftHead)
	n := nftables{Builder: &b}
	for i, m := range s.made {
		if m.owner.Outside {
			name := strings.ReplaceAll(labelValue(m.owner.Workload.Name), "-", "_")
			n.add(fmt.Sprintf("w%d_%s", i+1, name), m)
		}
	}
	n.hooks()
	b.WriteString("}\n")
	return []byte(b.String())
}

// nftables writes chains, and gathers the jumps to them for the hooks.
type nftables struct {
	*strings.Builder
	from, to []string // jumps for packets from and to workloads
	host     []string // and to ports of the host
}

func (n *nftables) add(name string, m made) {
	addresses := m.owner.addresses()
	fmt.Fprintf(n, "\t# %s\n", oneLine(m.owner.Workload.String()))
	if len(addresses) == 0 || m.owner.sharesHost() {
		n.addHostPorts(name, m)
		return
	}
	n.chain(name+"_egress", "daddr", m.egress)
	n.chain(name+"_ingress", "saddr", m.ingress)
	for _, ip := range addresses {
		n.from = append(n.from, fmt.Sprintf("%s saddr %s jump %s_egress", family(ip), ip, name))
		n.to = append(n.to, fmt.Sprintf("%s daddr %s jump %s_ingress", family(ip), ip, name))
	}
}

// addHostPorts limits who reaches the ports of a workload in the host's network.
func (n *nftables) addHostPorts(name string, m made) {
	n.WriteString("\t# it has no address of its own: egress is left open\n")
	var ports []string
	for _, r := range m.ingress {
		ports = insert(ports, nftPorts(r)...)
	}
	if len(ports) == 0 {
		n.WriteString("\t# and nothing was seen to reach it from elsewhere\n")
		return
	}
	n.chain(name+"_ingress", "saddr", m.ingress)
	for _, p := range ports {
		n.host = append(n.host, fmt.Sprintf("%s jump %s_ingress", p, name))
	}
}

// chain returns for what is allowed and drops the rest: to accept here would
// skip the chain of the other end.
func (n *nftables) chain(name, side string, rules []draft) {
	fmt.Fprintf(n, "\tchain %s {\n", name)
	for _, r := range rules {
		fmt.Fprintf(n, "\t\t# %s\n", oneLine(strings.Join(r.comments, ", ")))
		for _, ports := range nftPorts(r) {
			for _, peer := range nftPeers(r, side) {
				fmt.Fprintf(n, "\t\t%s%s return\n", peer, ports)
			}
		}
	}
	n.WriteString("\t\tcounter drop\n\t}\n")
}

// hooks send packets to the chains: those that are forwarded, and those between
// the workloads and their host.
func (n *nftables) hooks() {
	for _, hook := range []struct {
		name, loopback string
		jumps          []string
	}{
		{"forward", "", slices.Concat(n.from, n.to)},
		{"input", "\t\tiif lo accept\n", slices.Concat(n.from, n.host)},
		{"output", "\t\toif lo accept\n", n.to},
	} {
		fmt.Fprintf(n, "\tchain %s {\n\t\ttype filter hook %s priority filter - 5; policy accept;\n",
			hook.name, hook.name)
		n.WriteString(nftPass + hook.loopback)
		for _, jump := range hook.jumps {
			n.WriteString("\t\t" + jump + "\n")
		}
		n.WriteString("\t}\n")
	}
}

// nftPorts is the ports of a rule, one expression a protocol.
func nftPorts(r draft) []string {
	var list []string
	for _, protocol := range []string{"SCTP", "TCP", "UDP"} {
		var ports []string
		for _, in := range r.ports.Intervals(protocol) {
			ports = append(ports, in.String())
		}
		if len(ports) > 0 {
			list = append(list, fmt.Sprintf("%s dport { %s }",
				strings.ToLower(protocol), strings.Join(ports, ", ")))
		}
	}
	return list
}

// nftPeers is the peers of a rule as matches, each with a space behind it.
func nftPeers(r draft, side string) []string {
	if len(r.peers) == 0 {
		return []string{""}
	}
	var list []string
	for _, p := range r.peers {
		for _, cidr := range r.cidrs(p, side) {
			list = append(list, fmt.Sprintf("%s %s %s ", family(cidr.Addr()), side, cidr))
		}
	}
	return list
}

// cidrs is what stands for a peer where there are no labels: its prefix, or the
// recorded addresses of its containers.
func (r draft) cidrs(p networkingv1.NetworkPolicyPeer, side string) []netip.Prefix {
	if p.IPBlock != nil {
		cidr, err := parseCIDR(p.IPBlock.CIDR)
		if err != nil {
			return nil
		}
		return []netip.Prefix{cidr}
	}
	var list []netip.Prefix
	for _, f := range r.flows {
		owner := f.Destination.owner()
		if side == "saddr" {
			owner = f.Source.owner()
		}
		if owner == nil || matchSelector(p.PodSelector, owner.Pods[0].labels()) != yes {
			continue
		}
		for _, ip := range owner.addresses() {
			list = append(list, netip.PrefixFrom(ip, ip.BitLen()))
		}
	}
	slices.SortFunc(list, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return slices.Compact(list)
}

// oneLine keeps a name, which a manifest may have any way it likes, within its comment.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text)
}

func family(ip netip.Addr) string {
	if ip.Is4() {
		return "ip"
	}
	return "ip6"
}

// addresses are all that the workload's containers had.
func (o *Owner) addresses() []netip.Addr {
	var all []netip.Addr
	for _, p := range o.Pods {
		all = append(all, p.IPs...)
	}
	return sortedAddrs(all)
}

// sharesHost says that the addresses are also the host's.
func (o *Owner) sharesHost() bool {
	return slices.ContainsFunc(o.Pods, func(p *Pod) bool { return p.HostNetwork })
}
