package netpol

import (
	"fmt"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strings"

	"advisor/policies/netpol/iprange"
	"advisor/policies/netpol/portset"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// fewParts is how many prefixes, or intervals of ports, may stand in for a
// range. A range of which so few parts hold all that was seen, and less than
// half of it, is excess; else it is about as wide as what it is used for.
const fewParts = 8

// checkWidePeer reports a peer that holds more than those who were seen.
func (u *use) checkWidePeer(i int, path []any) {
	p := u.rule.peers[i]
	if p.IPBlock != nil {
		u.checkWideBlock(i, append(path, "ipBlock", "cidr"))
		return
	}
	seen, message := u.peers[i], ""
	if unseen := u.unseen(p, seen); len(unseen) > 0 {
		message = fmt.Sprintf("also selects %s, never seen: %s would do", fewOf(unseen), u.words(seen))
	} else if namespaces := namespacesOf(seen.pods); isEmptySelector(p.NamespaceSelector) && len(namespaces) == 1 {
		message = fmt.Sprintf("selects pods of every namespace, and those seen are all in %s: %s would do",
			namespaces[0], u.words(seen))
	}
	if message != "" {
		f := u.excess("netpol/wide-peer", path, peerWords(u.rule.policy, p), message, u.evidence(seen)...)
		peers, why := u.peersFor(seen)
		u.remedy(f, change{kind: setPeer, item: i, peers: peers}, why)
	}
}

// isEmptySelector is for a selector that is there and matches everything.
func isEmptySelector(s *metav1.LabelSelector) bool { return s != nil && isEmpty(s) }

func namespacesOf(pods []*Pod) []string {
	var names []string
	for _, p := range pods {
		names = insert(names, p.Namespace)
	}
	return names
}

// unseen names the workloads that a peer surely selects and that were not seen,
// as far as labels tell them from those that were. A workload alone need not
// talk to itself.
func (u *use) unseen(p networkingv1.NetworkPolicyPeer, seen seenPeers) []string {
	known := make(map[*Owner]bool)
	for _, pod := range seen.pods {
		known[pod.Owner] = true
	}
	if len(u.subjects) == 1 {
		known[u.subjects[0]] = true
	}
	alike := u.alike(seen.pods)
	var names []string
	for _, pod := range u.selectedBy(u.rule.policy, p) {
		if !known[pod.Owner] && !alike(pod) {
			names = insert(names, pod.String())
		}
	}
	return names
}

// alike says whether the labels of some workload that was seen are a pod's, too:
// no selector takes the one without the other.
func (c *checker) alike(seen []*Pod) func(*Pod) bool {
	selectors := make([]*metav1.LabelSelector, len(seen))
	for i, s := range seen {
		if s.Owner != nil {
			selectors[i] = s.Owner.selector(c.inv)
		}
	}
	return func(pod *Pod) bool {
		for i, s := range seen {
			if s.Owner != nil && s.Namespace == pod.Namespace &&
				(selectors[i] == nil || matchSelector(selectors[i], pod.labels()) == yes) {
				return true
			}
		}
		return false
	}
}

// selectedBy is a pod of each workload that a peer surely selects.
func (c *checker) selectedBy(policy *Policy, p networkingv1.NetworkPolicyPeer) []*Pod {
	key := peerText(p)
	if p.NamespaceSelector == nil {
		key = namespaceOf(policy.Namespace) + key
	}
	if pods, known := c.selected[key]; known {
		return pods
	}
	selector := p.PodSelector
	if selector == nil {
		selector = &metav1.LabelSelector{}
	}
	namespaces := slices.Sorted(maps.Keys(c.inv.sampled))
	if namespace, pinned := pinnedNamespace(policy, p); pinned {
		namespaces = []string{namespace}
	}
	pods := []*Pod{}
	for _, namespace := range namespaces {
		if p.NamespaceSelector == nil ||
			matchSelector(p.NamespaceSelector, c.inv.namespaceLabels(namespace)) == yes {
			pods = append(pods, onePerOwner(c.inv.selected(namespace, selector))...)
		}
	}
	c.selected[key] = pods
	return pods
}

// onePerOwner keeps the first pod of each workload that selectors reach.
func onePerOwner(pods []*Pod) []*Pod {
	known := make(map[*Owner]bool)
	var first []*Pod
	for _, p := range pods {
		if !known[p.Owner] && (!p.HostNetwork || outside(p)) {
			known[p.Owner] = true
			first = append(first, p)
		}
	}
	return first
}

// checkEveryone reports a rule without peers.
func (u *use) checkEveryone() {
	seen := u.anyPeer
	if u.rule.direction == Ingress && u.rule.policy.assumes("external-ingress") && len(seen.addresses) > 0 {
		return
	}
	if len(seen.addresses) > 0 && u.narrower(worldOf(seen.addresses), seen.addresses) == nil {
		return // from all over the world
	}
	f := u.excess("netpol/wide-peer", nil, ruleWords(u.rule),
		fmt.Sprintf("allows everyone: %s would do", u.words(seen)), u.evidence(seen)...)
	peers, why := u.peersFor(seen)
	u.remedy(f, change{kind: setPeers, peers: peers}, why)
}

// worldOf is all addresses of the families that were seen.
func worldOf(seen []netip.Addr) []iprange.Range {
	var world []iprange.Range
	for _, all := range []iprange.Range{iprange.Everything4(), iprange.Everything6()} {
		if slices.ContainsFunc(seen, all.Contains) {
			world = append(world, all)
		}
	}
	return world
}

// checkWideBlock reports addresses of which a part was seen only. Pods get others
// when they start again: what would do for them are their labels.
func (u *use) checkWideBlock(i int, path []any) {
	b, seen := u.rule.peers[i].IPBlock, u.peers[i]
	if u.rule.policy.assumesNodes(b.CIDR) {
		return
	}
	declared := blockRanges(b)
	if u.narrower(declared, seen.addresses) == nil {
		return
	}
	var enough []netip.Prefix
	if others := seen.besidesPods(); len(others) > 0 {
		if enough = u.narrower(declared, others); enough == nil {
			return
		}
	}
	pods := u.notSelected(i, seen.pods)
	var words []string
	for _, p := range seen.pods {
		words = insert(words, u.podWords(p))
	}
	if len(enough) > 0 {
		words = append(words, joinPrefixes(enough))
	}
	f := u.excess("netpol/wide-peer", path, blockText(b), fmt.Sprintf("holds %s, of which %s seen: %s would do",
		addressCount(iprange.Count(declared)), wereSeen(len(seen.addresses)), strings.Join(words, ", ")),
		seenAddresses(seen.addresses))
	peers, why := u.peersFor(seenPeers{pods: pods})
	u.remedy(f, change{kind: setPeer, item: i, peers: append(peers, prefixPeers(enough)...)}, why)
}

// besidesPods are the addresses that are none of the pods'.
func (s *seenPeers) besidesPods() []netip.Addr {
	var ofPods []netip.Addr
	for _, p := range s.pods {
		ofPods = append(ofPods, allAddresses(Endpoint{Pod: p})...)
	}
	return slices.DeleteFunc(slices.Clone(s.addresses), func(ip netip.Addr) bool { return slices.Contains(ofPods, ip) })
}

// notSelected are the pods that no other peer of the rule selects by labels.
func (u *use) notSelected(item int, pods []*Pod) []*Pod {
	return slices.DeleteFunc(slices.Clone(pods), func(p *Pod) bool {
		for i, peer := range u.rule.peers {
			q := question{Evaluator: u.evaluator, peer: Endpoint{Pod: p}}
			if i != item && peer.IPBlock == nil && q.matchPeer(u.rule.policy, peer) == yes {
				return true
			}
		}
		return false
	})
}

// narrower is the few prefixes that hold all addresses that were seen, nil
// where they are as good as the declared range.
func (u *use) narrower(declared []iprange.Range, seen []netip.Addr) []netip.Prefix {
	bounds, _ := ParseAggregation(u.rule.policy.Annotations[annotationAggregate])
	prefixes := make([]netip.Prefix, 0, len(seen))
	for _, a := range bounds.aggregate(seen) {
		prefixes = append(prefixes, a.prefix)
	}
	enough := iprange.Cover(prefixes, declared, fewParts)
	ranges := make([]iprange.Range, len(enough))
	for i, p := range enough {
		ranges[i] = iprange.Of(p)
	}
	all, part := iprange.Count(declared), iprange.Count(ranges)
	if len(enough) > fewParts || part.Lsh(part, 1).Cmp(all) >= 0 {
		return nil
	}
	return enough
}

// checkWidePorts reports ports of which a part was used only. A name stands for
// what pods declare.
func (u *use) checkWidePorts(path []any, r rule, seen portset.Set, narrow change) {
	declared, names := splitPorts(r.ports)
	enough := seen.Cover(fewParts)
	if len(names) > 0 || 2*enough.Len() >= declared.Len() {
		return
	}
	f := u.excess("netpol/wide-port", path, ruleWords(r), fmt.Sprintf("holds %d ports, of which %s seen: %s would do",
		declared.Len(), wereSeen(seen.Len()), enough), "seen: "+seen.String())
	narrow.ports = rangedPorts(enough)
	u.remedy(f, narrow, "")
}

func wereSeen(n int) string {
	if n == 1 {
		return "1 was"
	}
	return fmt.Sprintf("%d were", n)
}

// words name those who were seen, the way a policy would.
func (u *use) words(seen seenPeers) string {
	var names []string
	for _, p := range seen.pods {
		names = insert(names, u.podWords(p))
	}
	if len(seen.addresses) > 0 {
		names = append(names, joinPrefixes(u.narrower(worldOf(seen.addresses), seen.addresses)))
	}
	return strings.Join(names, ", ")
}

func (u *use) podWords(p *Pod) string {
	selector := &metav1.LabelSelector{MatchLabels: p.Labels}
	if p.Owner != nil {
		selector = p.Owner.selector(u.inv)
	}
	if selector == nil || p.HostNetwork && !outside(p) {
		return p.String() + " by address"
	}
	return symbolicName(p.Namespace, networkingv1.NetworkPolicyPeer{PodSelector: selector})
}

// evidence lists who was seen.
func (u *use) evidence(seen seenPeers) []string {
	var names, lines []string
	for _, p := range seen.pods {
		names = insert(names, p.String())
	}
	if len(names) > 0 {
		lines = append(lines, "seen: "+fewOf(names))
	}
	if len(seen.addresses) > 0 {
		lines = append(lines, seenAddresses(seen.addresses))
	}
	return lines
}

func seenAddresses(seen []netip.Addr) string {
	names := make([]string, len(seen))
	for i, ip := range seen {
		names[i] = ip.String()
	}
	return "seen: " + fewOf(names)
}

// fewOf lists some names, and how many more there are.
func fewOf(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

func joinPrefixes(prefixes []netip.Prefix) string {
	texts := make([]string, len(prefixes))
	for i, p := range prefixes {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// addressCount words a number that may be beyond reading.
func addressCount(n *big.Int) string {
	switch {
	case n.BitLen() <= 33:
		return n.String() + " addresses"
	case int(n.TrailingZeroBits()) == n.BitLen()-1:
		return fmt.Sprintf("2^%d addresses", n.BitLen()-1)
	}
	return fmt.Sprintf("about 2^%d addresses", n.BitLen()-1)
}
