package netpol

import (
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"advisor/policies"
	"advisor/policies/netpol/portset"
	"advisor/trace"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// cluster makes workloads with pods and a policy each, in namespaces of 100:
// every workload accepts from three others and connects to three, to the
// nameserver and to an address outside. Every changed-th policy has another port.
func cluster(workloads, pods, changed int) Set {
	var generated []networkingv1.NetworkPolicy
	for w := range workloads {
		generated = append(generated, numberedPolicy(w, workloads, changed))
	}
	inv, _ := NewInventory(nil, clusterObservations(workloads, pods))
	return Set{wrap(generated), inv}
}

func clusterObservations(workloads, pods int) []policies.Observation {
	var obs []policies.Observation
	for w := range workloads {
		o := policies.Observation{Workload: numbered(w)}
		for p := range pods / workloads {
			n := w*(pods/workloads) + p
			o.Containers = append(o.Containers, trace.Container{
				ID:  fmt.Sprintf("c%d", n),
				IPs: []string{fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)},
				Pod: &trace.Pod{Namespace: o.Workload.Namespace, Name: fmt.Sprintf("w%d-%d", w, p),
					UID: fmt.Sprintf("uid%d", n), Owner: &trace.Owner{Kind: "Deployment", Name: o.Workload.Name},
					Labels: map[string]string{"app": o.Workload.Name, "pod-template-hash": strconv.Itoa(w)}}})
		}
		obs = append(obs, o)
	}
	return obs
}

func numbered(w int) policies.Workload {
	return policies.Workload{Namespace: fmt.Sprintf("ns%d", w/100), Kind: "Deployment",
		Name: fmt.Sprintf("w%d", w)}
}

func numberedPolicy(w, workloads, changed int) networkingv1.NetworkPolicy {
	p := Policy{}
	p.Namespace, p.Name = numbered(w).Namespace, numbered(w).Name
	p.Spec.PodSelector.MatchLabels = map[string]string{"app": p.Name}
	p.Spec.PolicyTypes = bothTypes()
	port := 8080
	if changed > 0 && w%changed == 0 {
		port = 8081
	}
	for i, step := range []int{1, 7, 101} {
		to, from := numbered((w+step)%workloads), numbered((w+workloads-step)%workloads)
		p.addRule(Egress, numberedPeer(to), portset.Of("TCP", 8080+i, 8080+i))
		p.addRule(Ingress, numberedPeer(from), portset.Of("TCP", port+i, port+i))
	}
	p.addRule(Egress, &networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{
		CIDR: fmt.Sprintf("192.0.%d.%d/32", w>>8&255, w&255)}}, portset.Of("TCP", 443, 443))
	p.addRule(Egress, &networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{
			MatchLabels: map[string]string{nameLabel: "kube-system"}},
		PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"k8s-app": "kube-dns"}},
	}, portset.Of("UDP", 53, 53))
	return p.NetworkPolicy
}

func numberedPeer(w policies.Workload) *networkingv1.NetworkPolicyPeer {
	return &networkingv1.NetworkPolicyPeer{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{nameLabel: w.Namespace}},
		PodSelector:       &metav1.LabelSelector{MatchLabels: map[string]string{"app": w.Name}}}
}

func TestCluster(t *testing.T) {
	a, b := cluster(300, 900, 0), cluster(300, 900, 10)
	changes := Compare(a, b, CompareOptions{})
	// Each of the 30 changed workloads loses its three sources: 8081 to 8083
	// meet 8080 to 8082 of the other end nowhere.
	if len(changes) != 90 {
		t.Errorf("%d changes, want 90; first %+v", len(changes), changes[0])
	}
}

// openEgress leaves only the ingress side of every policy, so that no source
// is isolated and all pairs have to be looked at.
func openEgress(s Set) Set {
	for i := range s.Policies {
		s.Policies[i].Spec.PolicyTypes = []networkingv1.PolicyType{networkingv1.PolicyTypeIngress}
		s.Policies[i].Spec.Egress = nil
	}
	return s
}

// cpuSeconds is what this process has spent so far.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkCompare compares all ordered pairs. The cost grows with the distinct
// workloads and their rules; pods of one workload are nearly free.
func BenchmarkCompare(b *testing.B) {
	for _, size := range []struct {
		workloads, pods int
		kind            string
	}{
		{500, 500, "closed"}, {500, 10_000, "closed"}, {500, 500, "open"},
		{5_000, 5_000, "closed"}, {5_000, 100_000, "closed"}, {5_000, 100_000, "open"},
		{5_000, 100_000, "new"},
	} {
		before, after := cluster(size.workloads, size.pods, 0), cluster(size.workloads, size.pods, 25)
		switch size.kind {
		case "open":
			before, after = openEgress(before), openEgress(after)
		case "new": // no policy before: every pair changes
			before.Policies = nil
		}
		name := fmt.Sprintf("workloads=%d/pods=%d/%s", size.workloads, size.pods, size.kind)
		b.Run(name, func(b *testing.B) {
			spent := cpuSeconds()
			for b.Loop() {
				Compare(before, after, CompareOptions{})
			}
			// On a machine with other work this says more than the time that went by.
			b.ReportMetric((cpuSeconds()-spent)/float64(b.N), "cpu-s/op")
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.Sys)/(1<<20), "MB-sys")
			b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N)/
				float64(size.workloads*size.workloads), "ns/pair")
		})
	}
}

// clusterTrace adds flows to the observations of a cluster: each workload connects
// to three others.
func clusterTrace(workloads, pods int) []policies.Observation {
	obs := clusterObservations(workloads, pods)
	for w := range obs {
		for i, step := range []int{1, 7, 101} {
			to := &obs[(w+step)%workloads]
			obs[w].Connects = append(obs[w].Connects, policies.Connect{Protocol: "TCP", Port: 8080 + i,
				Remote: to.Containers[0].IPs[0], Result: trace.ResultEstablished,
				Container: obs[w].Containers[0].ID})
		}
	}
	return obs
}

// BenchmarkSynthesize makes policies of a trace, proves them, and holds them
// against the trace.
func BenchmarkSynthesize(b *testing.B) {
	for _, workloads := range []int{500, 5_000} {
		obs := clusterTrace(workloads, 20*workloads)
		b.Run(fmt.Sprintf("workloads=%d", workloads), func(b *testing.B) {
			for b.Loop() {
				inv, _ := NewInventory(nil, obs)
				s, err := Synthesize(obs, inv, Options{})
				if err != nil {
					b.Fatal(err)
				}
				if proof := Prove(s, obs, inv); !proof.OK() {
					b.Fatal(proof.Failed[0])
				}
				Check(wrap(s.Policies), inv, obs, Dialect{})
			}
			b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N*workloads), "µs/workload")
		})
	}
}
