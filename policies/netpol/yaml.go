package netpol

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/manifest"

	"go.yaml.in/yaml/v3"
	networkingv1 "k8s.io/api/networking/v1"
	sigsyaml "sigs.k8s.io/yaml"
)

// Document is one policy as text, and the name of the file it belongs in:
// namespace/kind-name.yaml, with slashes. A ruleset for a whole machine has no
// workload of its own.
type Document struct {
	Path     string
	Workload policies.Workload
	Text     []byte
}

// KindMachine is the kind of what a document for a whole machine is for.
const KindMachine = "Machine"

// Languages are the ways to write a synthesis, the default first.
func Languages() []string { return []string{"kubernetes", "cilium", "nftables", "list"} }

// In writes the synthesis in one of the Languages, the default for "".
func (s Synthesis) In(language string) ([]Document, error) {
	machine := policies.Workload{Kind: KindMachine, Name: "all workloads"}
	switch language {
	case "", "kubernetes":
		return s.Documents()
	case "cilium":
		return s.Cilium()
	case "nftables":
		return []Document{{"advisor.nft", machine, s.NFTables()}}, nil
	case "list":
		text, err := s.List()
		return []Document{{"connections.txt", machine, text}}, err
	}
	return nil, fmt.Errorf("no language %q for network policies: there is %s",
		language, strings.Join(Languages(), ", "))
}

// YAML is all policies as one stream of documents. The same synthesis gives
// the same bytes: nothing that changes from run to run is in it.
func (s Synthesis) YAML() ([]byte, error) {
	documents, err := s.Documents()
	return stream(documents), err
}

// stream joins documents into one file.
func stream(documents []Document) []byte {
	var all [][]byte
	for _, d := range documents {
		all = append(all, d.Text)
	}
	return bytes.Join(all, []byte("---\n"))
}

// Documents is each policy as a file of its own.
func (s Synthesis) Documents() ([]Document, error) {
	var documents []Document
	for i := range s.Policies {
		p := &s.Policies[i]
		text, err := s.document(p)
		if err != nil {
			return nil, fmt.Errorf("writing NetworkPolicy %s/%s: %w", p.Namespace, p.Name, err)
		}
		documents = append(documents, Document{s.path(p), s.Workload(i), text})
	}
	return documents, nil
}

func (s Synthesis) path(p *networkingv1.NetworkPolicy) string {
	kind, _, _ := strings.Cut(p.Annotations[annotationWorkload], "/")
	if kind == "" {
		return p.Namespace + "/" + p.Name + ".yaml"
	}
	return p.Namespace + "/" + strings.ToLower(kind) + "-" + p.Name + ".yaml"
}

func (s Synthesis) document(p *networkingv1.NetworkPolicy) ([]byte, error) {
	p = p.DeepCopy()
	p.APIVersion, p.Kind = networkingv1.SchemeGroupVersion.String(), "NetworkPolicy"
	return s.commented(p, func(root *yaml.Node) {
		for _, r := range s.Reasons {
			if r.Namespace == p.Namespace && r.Policy == p.Name {
				rules := manifest.ValueOf(manifest.ValueOf(root, "spec"), rulesKey(r.Direction))
				commentRule(rules, r.Rule, r.Comment)
			}
		}
	})
}

// commented marshals an object the way its API does, adds the header, and lets
// comment add the rest.
func (s Synthesis) commented(object any, comment func(*yaml.Node)) ([]byte, error) {
	plain, err := sigsyaml.Marshal(object)
	if err != nil {
		return nil, err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(plain, &doc); err != nil {
		return nil, err
	}
	order(doc.Content[0])
	comment(doc.Content[0])
	var out bytes.Buffer
	out.WriteString(s.header())
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	enc.CompactSeqIndent()
	if err := enc.Encode(doc.Content[0]); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// keyOrder is how people write policies: what it is, whom it selects, then the
// rules. Keys that are not in it follow, sorted.
var keyOrder = []string{
	"apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations", "spec",
	"podSelector", "endpointSelector", "policyTypes", "ingress", "egress",
}

// order puts the keys of the objects of the API into keyOrder, and a rule's
// peers before its ports. Labels and annotations are sorted already.
func order(node *yaml.Node) {
	if node.Kind != yaml.MappingNode {
		for _, child := range node.Content {
			order(child)
		}
		return
	}
	keys := make([]int, 0, len(node.Content)/2)
	for i := 0; i+1 < len(node.Content); i += 2 {
		keys = append(keys, i)
		switch node.Content[i].Value {
		case "labels", "annotations", "matchLabels":
		default:
			order(node.Content[i+1])
		}
	}
	slices.SortStableFunc(keys, func(a, b int) int {
		return rank(node.Content[a].Value) - rank(node.Content[b].Value)
	})
	content := make([]*yaml.Node, 0, len(node.Content))
	for _, i := range keys {
		content = append(content, node.Content[i], node.Content[i+1])
	}
	node.Content = content
}

func rank(key string) int {
	switch key {
	case "from", "to", "protocol":
		return 0
	case "namespaceSelector", "cidr":
		return 0
	case "port":
		return 1
	}
	if i := slices.Index(keyOrder, key); i >= 0 {
		return i
	}
	return len(keyOrder)
}

func (s Synthesis) header() string {
	return "# generated by " + strings.TrimSpace("advisor "+s.options.Version) +
		"; do not edit by hand: regenerate\n"
}

// commentRule puts a comment above a rule of a list.
func commentRule(rules *yaml.Node, index int, text string) {
	if rules == nil || index >= len(rules.Content) || text == "" {
		return
	}
	rules.Content[index].HeadComment = "# " + text
}
