package policies_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"advisor/policies"
	"advisor/trace"
)

type labels = map[string]string

func pod(name string, l labels, owner *trace.Owner) *trace.Container {
	return &trace.Container{ID: "id", Name: "k8s_web", Image: "img", Labels: labels{"app": "not-this"},
		Pod: &trace.Pod{Namespace: "shop", Name: name, Container: "web", Labels: l, Owner: owner}}
}

func TestWorkloadOfPods(t *testing.T) {
	tests := []struct {
		name string
		of   *trace.Container
		want string
	}{
		{"an owner", pod("web-x", labels{"pod-template-hash": "1"}, &trace.Owner{Kind: "Rollout", Name: "web"}),
			"shop/Rollout/web container=web"},
		{"a Deployment", pod("web-5d9c7b6f4-x2x7k", labels{"pod-template-hash": "5d9c7b6f4"}, nil),
			"shop/Deployment/web container=web"},
		{"a Deployment whose name has dashes", pod("a-b-5d9c-x2x7k", labels{"pod-template-hash": "5d9c"}, nil),
			"shop/Deployment/a-b container=web"},
		{"a name that was cut", pod("very-long-na-x2x7k", labels{"pod-template-hash": "5d9c", "app": "w"}, nil),
			"shop/Pod/app=w container=web"},
		{"a StatefulSet", pod("db-11", labels{"statefulset.kubernetes.io/pod-name": "db-11",
			"controller-revision-hash": "db-7f"}, nil), "shop/StatefulSet/db container=web"},
		{"a DaemonSet", pod("agent-x2x7k", labels{"controller-revision-hash": "7f"}, nil),
			"shop/DaemonSet/agent container=web"},
		{"a Job", pod("once-abcde", labels{"job-name": "once"}, nil), "shop/Job/once container=web"},
		{"a CronJob", pod("nightly-29512345-x2x7k", labels{"batch.kubernetes.io/job-name": "nightly-29512345"}, nil),
			"shop/CronJob/nightly container=web"},
		{"a Job with a date", pod("load-20260131-x2x7k", labels{"batch.kubernetes.io/job-name": "load-20260131"}, nil),
			"shop/Job/load-20260131 container=web"},
		{"labels alone", pod("p-1", labels{"tier": "x", "app": "w", "controller-uid": "77"}, nil),
			"shop/Pod/app=w,tier=x container=web"},
		{"labels that are all volatile", pod("p-1", labels{"helm.sh/chart": "c-1"}, nil), "shop/Pod/p-1 container=web"},
	}
	for _, tt := range tests {
		if got := policies.WorkloadOf(tt.of).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestWorkloadOfOthers(t *testing.T) {
	compose := labels{"com.docker.compose.project": "shop", "com.docker.compose.service": "db"}
	podman := labels{"io.podman.compose.project": "shop", "io.podman.compose.service": "db"}
	swarm := labels{"com.docker.swarm.service.name": "shop_db", "com.docker.stack.namespace": "shop"}
	tests := []struct {
		name string
		of   trace.Container
		want string
	}{
		{"compose", trace.Container{Name: "shop-db-1", Labels: compose}, "shop/Service/db"},
		{"podman-compose", trace.Container{Name: "shop_db_1", Labels: podman}, "shop/Service/db"},
		{"swarm", trace.Container{Name: "shop_db.1.x", Labels: swarm}, "shop/Service/db"},
		{"swarm, no stack", trace.Container{Labels: labels{"com.docker.swarm.service.name": "db"}}, "Service/db"},
		{"a name", trace.Container{Name: "/web", Image: "nginx"}, "Container/web"},
		{"a command", trace.Container{Runtime: "command", Name: "nginx"}, "Command/nginx"},
		{"an image", trace.Container{ID: "1", Image: "nginx:1", Command: "/bin/x"}, "Image/nginx:1"},
		{"an executable", trace.Container{ID: "1", Command: "/bin/x"}, "Command//bin/x"},
		{"nothing", trace.Container{ID: "1"}, "Container/1"},
	}
	for _, tt := range tests {
		if got := policies.WorkloadOf(&tt.of).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestStableLabels(t *testing.T) {
	got := policies.StableLabels(labels{
		"app": "web", "app.kubernetes.io/instance": "a", "app.kubernetes.io/version": "1",
		"topology.kubernetes.io/zone": "z", "rollouts-pod-template-hash": "1",
		"security.istio.io/tlsMode": "istio", "service.istio.io/canonical-name": "web",
		"service.istio.io/other": "kept", "io.cilium.k8s.policy.serviceaccount": "x",
	})
	want := labels{"app": "web", "app.kubernetes.io/instance": "a", "service.istio.io/other": "kept"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestWorkloadOfOneLine holds that names which would end a line do not, and that
// those which differ still do.
func TestWorkloadOfOneLine(t *testing.T) {
	seen := make(map[string]bool)
	for _, name := range []string{"web\n}\nflush ruleset", "web\r}\nflush ruleset", "web}flush ruleset", "web\x1b[2J"} {
		w := policies.WorkloadOf(&trace.Container{Name: name})
		if strings.ContainsFunc(w.String(), unicode.IsControl) || seen[w.Name] {
			t.Errorf("%q is called %q", name, w)
		}
		seen[w.Name] = true
	}
}
