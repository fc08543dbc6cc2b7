package netpol

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"advisor/policies"
	"advisor/policies/manifest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// nameLabel is on every namespace since Kubernetes 1.22.
const nameLabel = "kubernetes.io/metadata.name"

// Inventory is what is known of a cluster, or of the containers of one machine.
type Inventory struct {
	// Owners are all workloads, sorted.
	Owners []*Owner
	// Services are sorted by namespace and name.
	Services []*Service
	Nodes    []*Node
	// Others are policies of kinds that verdicts do not take into account:
	// admin tiers, Cilium's and Calico's own.
	Others []manifest.Object

	namespaces map[string]map[string]string // with a manifest only
	owners     map[policies.Workload]*Owner
	pods       map[string]*Pod // by UID, and by namespace and name
	containers map[string]*Pod // by id in the trace
	addresses  map[netip.Addr][]*Pod
	parents    map[reference]reference // of ReplicaSets and Jobs
	services   map[string]*Service     // by namespace and name
	dialled    map[netip.Addr][]*Service
	labelled   map[podLabel][]*Pod // the pods, or templates, with a label
	sampled    map[string][]*Pod   // all pods, or templates, of a namespace
	nodeCache  bool                // a cache of names runs on each node
	dnsPod     *Pod                // of the cluster's nameserver, where it is known
}

type podLabel struct{ namespace, key, value string }

// Owner is a workload with its pods.
type Owner struct {
	Workload policies.Workload // without Container
	// Selector is the spec.selector of the manifest; nil where it has none that
	// outlives one run, or there is no manifest.
	Selector *metav1.LabelSelector
	Template *Pod   // what the manifest says of its pods; nil without manifest
	Pods     []*Pod // those that were seen, sorted
	Replicas int    // as declared; 0 where not known
	Position policies.Position
	// Outside says that the workload runs outside Kubernetes: its namespace and
	// labels are made up, for a draft.
	Outside bool
	probes  []probe
}

// probe is a port that the kubelet connects to.
type probe struct {
	port int
	name string
}

// Pod is one pod, a pod template, or a container outside Kubernetes.
type Pod struct {
	Namespace   string
	Name        string // empty for a template
	UID         string
	Labels      map[string]string
	Partial     bool // there may be labels that are not known
	IPs         []netip.Addr
	Ports       []Port // declared container ports
	PortsKnown  bool   // Ports is all there is
	HostNetwork bool
	Node        string
	HostIPs     []netip.Addr // of its node
	From, Until time.Time    // when it had its addresses; zero is open
	Owner       *Owner
	Nameservers []netip.Addr
	Search      []string
	recorded    bool // a trace has one of its containers
	// Assumed says that nobody saw this pod: it stands for what ought to be there.
	Assumed bool
}

// Port is a declared container port.
type Port struct {
	Name     string
	Protocol string
	Number   int
}

// String is the workload that people know the pod by.
func (p *Pod) String() string {
	if p.Owner != nil {
		return p.Owner.Workload.String()
	}
	return p.Namespace + "/Pod/" + p.Name
}

func (p *Pod) labels() labelSet { return labelSet{p.Labels, p.Partial} }

// namespaceLabels returns the labels of a namespace. Without a manifest only
// its name is sure.
func (inv *Inventory) namespaceLabels(name string) labelSet {
	labels, known := inv.namespaces[name]
	if !known {
		return labelSet{map[string]string{nameLabel: name}, true}
	}
	return labelSet{labels, false}
}

// Owner returns the workload, nil where it is not known.
func (inv *Inventory) Owner(w policies.Workload) *Owner {
	return inv.owners[withoutContainer(w)]
}

// NewInventory gathers what manifests and traces say. Objects of kinds that
// say nothing of the network are passed over; one that cannot be read is an
// error, and the rest still counts.
func NewInventory(objects []manifest.Object, observations []policies.Observation,
) (*Inventory, []error) {
	inv := &Inventory{
		namespaces: make(map[string]map[string]string),
		owners:     make(map[policies.Workload]*Owner),
		pods:       make(map[string]*Pod),
		containers: make(map[string]*Pod),
		addresses:  make(map[netip.Addr][]*Pod),
		parents:    make(map[reference]reference),
		services:   make(map[string]*Service),
		dialled:    make(map[netip.Addr][]*Service),
		labelled:   make(map[podLabel][]*Pod),
		sampled:    make(map[string][]*Pod),
	}
	errs := inv.addObjects(objects)
	for i := range observations {
		inv.addObservation(&observations[i])
	}
	inv.finish()
	return inv, errs
}

// owner returns the workload, new where it is not known yet.
func (inv *Inventory) owner(w policies.Workload) *Owner {
	w = withoutContainer(w)
	o := inv.owners[w]
	if o == nil {
		o = &Owner{Workload: w}
		inv.owners[w] = o
	}
	return o
}

// finish sorts everything and indexes addresses.
func (inv *Inventory) finish() {
	for _, o := range inv.owners {
		inv.Owners = append(inv.Owners, o)
		slices.SortFunc(o.Pods, comparePods)
	}
	slices.SortFunc(inv.Owners, func(a, b *Owner) int { return a.Workload.Compare(b.Workload) })
	slices.SortFunc(inv.Services, func(a, b *Service) int {
		return strings.Compare(a.String(), b.String())
	})
	slices.SortFunc(inv.Nodes, func(a, b *Node) int { return strings.Compare(a.Name, b.Name) })
	for _, o := range inv.Owners {
		for _, p := range o.Pods {
			inv.finishPod(p)
		}
		for _, p := range o.sample() {
			inv.indexLabels(p)
		}
	}
	for _, s := range inv.Services {
		for _, ip := range sortedAddrs(slices.Concat(s.ClusterIPs, s.ExternalIPs)) {
			inv.dialled[ip] = append(inv.dialled[ip], s)
		}
	}
}

func (inv *Inventory) indexLabels(p *Pod) {
	inv.sampled[p.Namespace] = append(inv.sampled[p.Namespace], p)
	for k, v := range p.Labels {
		key := podLabel{p.Namespace, k, v}
		inv.labelled[key] = append(inv.labelled[key], p)
	}
	if inv.dnsPod == nil && isDNSPod(p) {
		inv.dnsPod = p
	}
	// The label of the cache's published manifest.
	inv.nodeCache = inv.nodeCache || p.Labels["k8s-app"] == "node-local-dns"
}

// finishPod completes a pod with what its template and its node say.
func (inv *Inventory) finishPod(p *Pod) {
	if t := p.Owner.Template; t != nil {
		if !p.PortsKnown {
			p.Ports, p.PortsKnown = t.Ports, t.PortsKnown
		}
		if p.Partial {
			p.Labels, p.Partial = t.Labels, false
		}
		p.HostNetwork = p.HostNetwork || t.HostNetwork
	}
	for _, n := range inv.Nodes {
		if n.Name == p.Node && p.Node != "" {
			p.HostIPs = sortedAddrs(append(p.HostIPs, n.IPs...))
		}
	}
	if p.HostNetwork && !p.Owner.Outside {
		return // its addresses are its node's
	}
	for _, ip := range p.IPs {
		inv.addresses[ip] = append(inv.addresses[ip], p)
	}
}

func comparePods(a, b *Pod) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.UID, b.UID)
}

// sample returns pods that stand for the workload: those seen, else the template.
func (o *Owner) sample() []*Pod {
	if len(o.Pods) == 0 && o.Template != nil {
		return []*Pod{o.Template}
	}
	return o.Pods
}

func (o *Owner) hostNetwork() bool {
	for _, p := range o.sample() {
		if p.HostNetwork {
			return !o.Outside
		}
	}
	return false
}

func sortedAddrs(addrs []netip.Addr) []netip.Addr {
	slices.SortFunc(addrs, netip.Addr.Compare)
	return slices.Compact(addrs)
}

// parseAddrs reads addresses, v4-mapped ones as IPv4; what is none is left out.
func parseAddrs(texts ...string) []netip.Addr {
	var addrs []netip.Addr
	for _, text := range texts {
		if a, ok := parseAddr(text); ok {
			addrs = append(addrs, a)
		}
	}
	return sortedAddrs(addrs)
}

func parseAddr(text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	return a.Unmap().WithZone(""), err == nil
}
