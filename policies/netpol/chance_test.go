package netpol

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"advisor/policies/manifest"
	"advisor/policies/netpol/portset"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	sigsyaml "sigs.k8s.io/yaml"
)

// chance makes random clusters and policies, small enough that they often meet.
type chance struct{ *rand.Rand }

func newChance(seed uint64) chance { return chance{rand.New(rand.NewPCG(seed, 7))} }

func pick[T any](c chance, list ...T) T { return list[c.IntN(len(list))] }

func (c chance) oneIn(n int) bool { return c.IntN(n) == 0 }

func (c chance) labels() map[string]string {
	labels := make(map[string]string)
	for _, key := range []string{"app", "tier"} {
		if !c.oneIn(4) {
			labels[key] = pick(c, "a", "b", "c")
		}
	}
	return labels
}

func (c chance) selector() *metav1.LabelSelector {
	s := &metav1.LabelSelector{}
	if c.oneIn(2) {
		s.MatchLabels = c.labels()
	}
	if c.oneIn(3) {
		e := metav1.LabelSelectorRequirement{Key: pick(c, "app", "tier"), Operator: pick(c,
			metav1.LabelSelectorOpIn, metav1.LabelSelectorOpNotIn,
			metav1.LabelSelectorOpExists, metav1.LabelSelectorOpDoesNotExist)}
		if e.Operator == metav1.LabelSelectorOpIn || e.Operator == metav1.LabelSelectorOpNotIn {
			e.Values = []string{pick(c, "a", "b", "c"), pick(c, "a", "b", "c")}
		}
		s.MatchExpressions = append(s.MatchExpressions, e)
	}
	return s
}

func (c chance) peer() networkingv1.NetworkPolicyPeer {
	var p networkingv1.NetworkPolicyPeer
	switch c.IntN(5) {
	case 0:
		p.IPBlock = &networkingv1.IPBlock{CIDR: pick(c, "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/29",
			"::/0", "fd00::/64", "192.0.2.7/32")}
		if p.IPBlock.CIDR == "10.0.0.0/8" && c.oneIn(2) {
			p.IPBlock.Except = []string{"10.0.0.4/30"}
		}
	case 1:
		p.NamespaceSelector = c.namespaceSelector()
	case 2:
		p.NamespaceSelector, p.PodSelector = c.namespaceSelector(), c.selector()
	default:
		p.PodSelector = c.selector()
	}
	return p
}

func (c chance) namespaceSelector() *metav1.LabelSelector {
	if c.oneIn(2) {
		return &metav1.LabelSelector{MatchLabels: map[string]string{nameLabel: pick(c, "n1", "n2")}}
	}
	s := c.selector()
	return s
}

func (c chance) ports() []networkingv1.NetworkPolicyPort {
	var ports []networkingv1.NetworkPolicyPort
	for range c.IntN(3) {
		protocol := pick(c, corev1.ProtocolTCP, corev1.ProtocolUDP, corev1.ProtocolSCTP)
		p := networkingv1.NetworkPolicyPort{Protocol: &protocol}
		if c.oneIn(3) {
			p.Protocol = nil
		}
		switch c.IntN(4) {
		case 0:
		case 1:
			name := intstr.FromString(pick(c, "web", "dns"))
			p.Port = &name
		default:
			n := intstr.FromInt(pick(c, 53, 80, 81))
			p.Port = &n
			if c.oneIn(3) {
				end := int32(n.IntValue() + c.IntN(3))
				p.EndPort = &end
			}
		}
		ports = append(ports, p)
	}
	return ports
}

func (c chance) policy(name string) networkingv1.NetworkPolicy {
	p := networkingv1.NetworkPolicy{}
	p.APIVersion, p.Kind = "networking.k8s.io/v1", "NetworkPolicy"
	p.Namespace, p.Name = pick(c, "n1", "n2"), name
	p.Spec.PodSelector = *c.selector()
	p.Spec.PolicyTypes = pick(c, nil, []networkingv1.PolicyType{"Ingress"},
		[]networkingv1.PolicyType{"Egress"}, bothTypes(), bothTypes())
	for range c.IntN(3) {
		r := networkingv1.NetworkPolicyIngressRule{Ports: c.ports()}
		for range c.IntN(3) {
			r.From = append(r.From, c.peer())
		}
		p.Spec.Ingress = append(p.Spec.Ingress, r)
	}
	for range c.IntN(3) {
		r := networkingv1.NetworkPolicyEgressRule{Ports: c.ports()}
		for range c.IntN(3) {
			r.To = append(r.To, c.peer())
		}
		p.Spec.Egress = append(p.Spec.Egress, r)
	}
	return p
}

func (c chance) pod(i int) corev1.Pod {
	p := corev1.Pod{}
	p.APIVersion, p.Kind = "v1", "Pod"
	p.Namespace, p.Name, p.Labels = pick(c, "n1", "n2", "n3"), fmt.Sprintf("pod%d", i), c.labels()
	p.Spec.HostNetwork = c.oneIn(8)
	p.Status.PodIP = fmt.Sprintf("10.0.0.%d", i+1)
	p.Status.PodIPs = []corev1.PodIP{{IP: p.Status.PodIP}, {IP: fmt.Sprintf("fd00::%d", i+1)}}
	if c.oneIn(2) {
		p.Status.PodIPs = p.Status.PodIPs[:1]
	}
	p.Status.HostIP = "192.168.0.1"
	container := corev1.Container{Name: "c"}
	if !c.oneIn(3) {
		container.Ports = append(container.Ports, corev1.ContainerPort{
			Name: "web", Protocol: "TCP", ContainerPort: int32(pick(c, 80, 81))})
	}
	if c.oneIn(3) {
		container.Ports = append(container.Ports, corev1.ContainerPort{
			Name: "dns", Protocol: "UDP", ContainerPort: 53})
	}
	p.Spec.Containers = []corev1.Container{container}
	return p
}

func (c chance) namespace(name string) corev1.Namespace {
	ns := corev1.Namespace{}
	ns.APIVersion, ns.Kind, ns.Name, ns.Labels = "v1", "Namespace", name, c.labels()
	return ns
}

// manifests writes a whole random cluster as text.
func (c chance) manifests(pods, policies int) string {
	var objects []any
	for _, name := range []string{"n1", "n2", "n3"} {
		objects = append(objects, c.namespace(name))
	}
	for i := range pods {
		objects = append(objects, c.pod(i))
	}
	for i := range policies {
		objects = append(objects, c.policy(fmt.Sprintf("p%d", i)))
	}
	return asYAML(objects...)
}

func asYAML(objects ...any) string {
	var b strings.Builder
	for _, o := range objects {
		text, err := sigsyaml.Marshal(o)
		if err != nil {
			panic(err)
		}
		b.WriteString("---\n" + string(text))
	}
	return b.String()
}

// read loads manifests as a set; what is wrong with them fails the test.
func read(t testing.TB, yaml string) Set {
	t.Helper()
	objects, errs := manifest.Read("m.yaml", []byte(yaml))
	inv, more := NewInventory(objects, nil)
	policies, invalid := Parse(objects, "")
	for _, err := range append(append(errs, more...), invalid...) {
		t.Fatalf("%v\n%s", err, yaml)
	}
	return Set{policies, inv}
}

// TestTableAgreesWithEvaluator compares the two ways to judge a connection,
// which share nothing but the matching of labels, on random clusters.
func TestTableAgreesWithEvaluator(t *testing.T) {
	for seed := range uint64(40) {
		yaml := newChance(seed).manifests(7, 5)
		set := read(t, yaml)
		for _, dialect := range Dialects() {
			w := newWalker([]Set{set}, dialect)
			allowed := make(map[[2]int32]portset.Set)
			for _, c := range w.pairs(func(connection) bool { return true }) {
				allowed[[2]int32{c.source, c.destination}] = w.ports.set(c.ports[0])
			}
			e := NewEvaluator(set.Policies, set.Inventory, dialect)
			for i := range w.entities {
				for j := range w.entities {
					pair := [2]int32{int32(i), int32(j)}
					agree(t, w, e, pair, allowed[pair]) // what is not listed is not allowed
				}
			}
			if t.Failed() {
				t.Fatalf("seed %d, dialect %s\n%s", seed, dialect.Name, yaml)
			}
		}
	}
}

func agree(t *testing.T, w *walker, e *Evaluator, pair [2]int32, ports portset.Set) {
	src, dst := endpointOf(w, pair[0]), endpointOf(w, pair[1])
	if exempt(Connection{Source: src, Destination: dst}) != "" || src.String() == dst.String() {
		return
	}
	if symbolic(w, pair[0]) || symbolic(w, pair[1]) || src.Pod == nil && dst.Pod == nil ||
		int(pair[0]) >= w.second || int(pair[1]) >= w.first && int(pair[1]) < w.second {
		return
	}
	for _, protocol := range portset.Protocols() {
		for _, port := range []int{1, 52, 53, 54, 80, 81, 82, 83, 65535} {
			v := e.Evaluate(Connection{Source: src, Destination: dst, Protocol: protocol, Port: port})
			listed := ports.Contains(protocol, port)
			if v.Outcome != OutcomeUnknown && listed != (v.Outcome == Allowed) {
				t.Errorf("%v -> %v %s %d: evaluator %+v, table %v", src, dst, protocol, port, v, ports)
			}
		}
	}
}

func symbolic(w *walker, i int32) bool { return w.entities[i].peer.Symbolic != "" }

func endpointOf(w *walker, i int32) Endpoint {
	e := w.entities[i]
	if int(i) >= w.first {
		return Endpoint{IP: e.ranges[0].To}
	}
	return Endpoint{Pod: e.sides[0].pod}
}

// TestCompareProperties holds that a comparison with itself is empty, that it
// is antisymmetric, and that text alone makes no difference.
func TestCompareProperties(t *testing.T) {
	opt := CompareOptions{All: true}
	for seed := range uint64(25) {
		c := newChance(seed)
		yaml := c.manifests(6, 4)
		a, b := read(t, yaml), read(t, c.manifests(6, 4))
		if same := Compare(a, read(t, yaml), opt); len(same) > 0 {
			t.Fatalf("seed %d: differs from itself: %v", seed, same[0])
		}
		if diff := cmp.Diff(flipped(Compare(a, b, opt)), lines(Compare(b, a, opt))); diff != "" {
			t.Fatalf("seed %d: not antisymmetric (-want +got)\n%s", seed, diff)
		}
		if same := Compare(a, Set{rewritten(c, a.Policies), a.Inventory}, opt); len(same) > 0 {
			t.Fatalf("seed %d: text makes a difference: %v", seed, same[0])
		}
	}
}

func lines(changes []Change) []string {
	var list []string
	for _, c := range changes {
		list = append(list, fmt.Sprint(c.Kind, c.Source, c.Destination, c.Direction,
			c.Before, c.After, c.Pairs))
	}
	return list
}

// flipped is the changes as the reverse comparison ought to give them.
func flipped(changes []Change) []string {
	other := map[ChangeKind]ChangeKind{Added: Removed, Removed: Added, Changed: Changed,
		Isolated: NotIsolated, NotIsolated: Isolated}
	for i := range changes {
		c := &changes[i]
		c.Kind, c.Before, c.After = other[c.Kind], c.After, c.Before
	}
	sorted := append([]Change(nil), changes...)
	sortChanges(sorted)
	return lines(sorted)
}

// rewritten says the same with other words: rules split by peer, shuffled, and
// policyTypes spelled out.
func rewritten(c chance, policies []Policy) []Policy {
	var list []Policy
	for _, p := range policies {
		p.NetworkPolicy = *p.DeepCopy()
		var types []networkingv1.PolicyType
		for _, d := range []Direction{Egress, Ingress} {
			if p.governs(d) {
				types = append(types, networkingv1.PolicyType(d))
			}
		}
		p.Spec.PolicyTypes = types
		p.Spec.Ingress = splitIngress(p.Spec.Ingress)
		c.Shuffle(len(p.Spec.Ingress), func(i, j int) {
			p.Spec.Ingress[i], p.Spec.Ingress[j] = p.Spec.Ingress[j], p.Spec.Ingress[i]
		})
		list = append(list, p)
	}
	c.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func splitIngress(rules []networkingv1.NetworkPolicyIngressRule,
) []networkingv1.NetworkPolicyIngressRule {
	var split []networkingv1.NetworkPolicyIngressRule
	for _, r := range rules {
		if len(r.From) == 0 {
			split = append(split, r)
		}
		for _, peer := range r.From {
			split = append(split, networkingv1.NetworkPolicyIngressRule{
				Ports: r.Ports, From: []networkingv1.NetworkPolicyPeer{peer}})
		}
	}
	return split
}
