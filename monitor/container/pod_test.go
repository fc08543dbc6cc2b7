package container_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

// TestRealPods names the container and the sandbox of a pod, and a container
// beside Kubernetes.
func TestRealPods(t *testing.T) {
	pods := bed.New(t).Pods()
	pod, err := pods.Start("shop", "web-0", map[string]string{"app": "web"}, false, "serve", ":8080")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := pods.Remove(pod); err != nil {
			t.Error(err)
		}
	}()
	r := container.New(container.Options{})
	got, complete := r.Resolve(sight(t, pod.PID))
	if !complete || got.ID != pod.Container || got.Runtime != container.Containerd ||
		got.Name != "web-0" {
		t.Errorf("complete %v: %+v", complete, got)
	}
	want := &trace.Pod{Namespace: "shop", Name: "web-0", Container: "web-0",
		Labels: map[string]string{"app": "web"}}
	ignore := cmpopts.IgnoreFields(trace.Pod{}, "UID")
	if diff := cmp.Diff(want, got.Pod, ignore); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	if !slices.Equal(got.IPs, []string{pod.IP}) || pod.IP == "" || got.Granted == nil {
		t.Errorf("addresses %v, want %s; granted %+v", got.IPs, pod.IP, got.Granted)
	}
	if got.Resolv == nil || !slices.Equal(got.Resolv.Search, []string{"shop.svc"}) {
		t.Errorf("resolv.conf %+v", got.Resolv)
	}
	sandbox, complete := r.Resolve(container.Sight{Cgroup: pod.Sandbox,
		CgroupPath: "/kubepods/besteffort/pod" + got.Pod.UID + "/" + pod.Sandbox})
	want.Container = ""
	if diff := cmp.Diff(want, sandbox.Pod, ignore); diff != "" || !complete {
		t.Errorf("sandbox, complete %v (-want +got):\n%s", complete, diff)
	}
	testPlainContainerd(t, pods, r)
}

func testPlainContainerd(t *testing.T, pods *bed.Pods, r *container.Resolver) {
	t.Helper()
	pid, err := pods.Run("plain1", "sleep")
	if err != nil {
		t.Fatal(err)
	}
	got, complete := r.Resolve(sight(t, pid))
	if !complete || got.Runtime != container.Containerd || got.Name != "plain1" ||
		got.Labels["a"] != "b" {
		t.Errorf("complete %v: %+v", complete, got)
	}
}

// TestRealHostNetwork: the node's addresses are no pod's.
func TestRealHostNetwork(t *testing.T) {
	pods := bed.New(t).Pods()
	pod, err := pods.Start("kube-system", "proxy", nil, true, "sleep")
	if err != nil {
		t.Fatal(err)
	}
	got, complete := container.New(container.Options{}).Resolve(sight(t, pod.PID))
	if !complete || got.Pod == nil || !got.Pod.HostNetwork || len(got.IPs) != 0 {
		t.Errorf("complete %v: %+v, pod %+v", complete, got, got.Pod)
	}
}
