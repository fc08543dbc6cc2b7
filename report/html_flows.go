package report

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/policies/netpol"
	"advisor/report/html"

	"go.yaml.in/yaml/v3"
)

// pageFlows are the report's flows and, where it has none because nothing was
// compared, those that its network policies are made from.
func (r *Report) pageFlows() []html.Flow {
	var flows []html.Flow
	known := make(map[string]bool)
	add := func(f html.Flow) {
		if !known[f.Key()] {
			known[f.Key()] = true
			flows = append(flows, f)
		}
	}
	for _, f := range r.Flows {
		add(pageFlow(f))
	}
	for _, w := range r.Workloads {
		for _, p := range w.Policies {
			for _, l := range p.Lines {
				if f, ok := flowOfLine(p, l); ok {
					add(f)
				}
			}
		}
	}
	return flows
}

func pageFlow(f Flow) html.Flow {
	page := html.Flow{
		From: peerOf(f.From), To: peerOf(f.To), Protocol: f.Protocol, Port: f.Port,
		Ports: f.Ports, Class: flowClass(f), Seen: *flowSeen(f.Evidence, seenAt(f.Evidence)),
	}
	var reasons []string
	for _, reason := range []string{f.Reason, viaDetail(f.Via), f.Class} {
		if reason != "" {
			reasons = append(reasons, reason)
		}
	}
	page.Reason = strings.Join(reasons, ", ")
	return page
}

// flowClass is the finding that a flow amounts to, none where it is allowed and
// was seen, or where nothing was compared.
func flowClass(f Flow) policies.Class {
	switch {
	case f.Observed && f.Allowed == "denied":
		return policies.Missing
	case f.Allowed == "unknown":
		return policies.Unknown
	case !f.Observed:
		return policies.Excess
	case f.Ungoverned:
		return policies.Unprotected
	}
	return ""
}

// flowOfLine is the flow behind a line of a network policy, as "shop/web ->
// shop/cart TCP 7070".
func flowOfLine(p Policy, l Line) (html.Flow, bool) {
	if p.Kind != KindNetpol || l.Seen == nil {
		return html.Flow{}, false
	}
	ends, service, ok := cutService(l.Subject)
	from, to, cut := strings.Cut(ends, " -> ")
	if !ok || !cut {
		return html.Flow{}, false
	}
	service.From, service.To = peerOf(from), peerOf(to)
	service.Seen, service.Reason = *l.Seen, l.Detail
	return service, true
}

// cutService cuts "TCP 7070" off the end of a flow.
func cutService(s string) (string, html.Flow, bool) {
	words := strings.Fields(s)
	if len(words) < 3 {
		return "", html.Flow{}, false
	}
	port, err := strconv.Atoi(words[len(words)-1])
	if err != nil {
		return "", html.Flow{}, false
	}
	f := html.Flow{Protocol: words[len(words)-2], Port: port}
	return strings.Join(words[:len(words)-2], " "), f, true
}

// peerOf reads one end of a flow: an address, a network, a workload as
// "shop/Deployment/cart", or a pod as "shop/cart".
func peerOf(s string) html.Peer {
	if _, err := netip.ParseAddr(s); err == nil {
		return html.Peer{Name: s}
	}
	if _, err := netip.ParsePrefix(s); err == nil {
		return html.Peer{Name: s}
	}
	s, _, _ = strings.Cut(s, " container=")
	parts := strings.SplitN(s, "/", 3)
	switch {
	case len(parts) == 3:
		return html.Peer{Namespace: parts[0], Name: parts[2]}
	case len(parts) == 2 && slices.Contains(plainKinds[:], parts[0]):
		return html.Peer{Namespace: html.NoNamespace, Name: parts[1]}
	case len(parts) == 2:
		return html.Peer{Namespace: parts[0], Name: parts[1]}
	}
	return html.Peer{Name: s}
}

// netpolRules ties the rules of a policy's text to their flows.
func netpolRules(p Policy) []html.Rule {
	facts := make(map[string][]string)
	for _, l := range p.Lines {
		if f, ok := flowOfLine(p, l); ok && l.Rule != "" {
			facts[l.Rule] = append(facts[l.Rule], f.Key())
		}
	}
	var doc struct {
		Spec struct{ Ingress, Egress yaml.Node }
	}
	if yaml.Unmarshal([]byte(p.Text), &doc) != nil {
		return nil // a format that is not YAML has no such rules
	}
	var rules []html.Rule
	lists := map[string]yaml.Node{"ingress": doc.Spec.Ingress, "egress": doc.Spec.Egress}
	for name, list := range lists {
		for i, n := range list.Content {
			if found := facts[fmt.Sprintf("%s[%d]", name, i)]; len(found) > 0 {
				rules = append(rules, html.Rule{First: n.Line, Last: lastLine(n), Facts: found})
			}
		}
	}
	slices.SortFunc(rules, func(a, b html.Rule) int { return a.First - b.First })
	return rules
}

// lastLine is the line on which a node's last scalar begins.
func lastLine(n *yaml.Node) int {
	last := n.Line
	for _, child := range n.Content {
		last = max(last, lastLine(child))
	}
	return last
}

// seenAt is the end that saw a flow, the one that began it before the other.
func seenAt(e netpol.FlowEvidence) netpol.Direction {
	if e.SourceReplicas > 0 {
		return netpol.Egress
	}
	return netpol.Ingress
}
