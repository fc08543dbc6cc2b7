package container

import (
	"cmp"
	"encoding/json"
	"strings"
)

// askRuntime fills in what only the runtime knows: names, images, labels.
func (q *query) askRuntime() {
	runtime := cmp.Or(q.at.runtime, q.kept.runtime)
	if q.spec != nil {
		q.useAnnotations(q.spec.Annotations)
	}
	switch {
	case runtime == Docker:
		q.askDocker()
	case runtime == Podman:
		q.askPodman()
	case runtime == CRIO, runtime == Containerd, q.at.podUID != "":
		q.askContainerd()
		q.askCRI()
	case runtime == "" && isID(q.at.id):
		q.askAll()
	case runtime == Nspawn:
		q.c.Name, q.named = cmp.Or(q.c.Name, q.kept.name), true
	case runtime == Host:
		q.named = true
	}
	q.recall()
}

// askAll asks everyone for an id that nothing marks.
func (q *query) askAll() {
	if q.readDocker() {
		q.c.Runtime = Docker
		return
	}
	q.askHTTP(q.sockets.docker(), Docker)
	if !q.named {
		q.askHTTP(q.sockets.podman(), Podman)
	}
}

// useAnnotations takes the pod's identity from the bundle, and for CRI-O the
// rest too: it writes all it knows there.
func (q *query) useAnnotations(a map[string]string) {
	const crio = "io.kubernetes.cri-o."
	pod := podOf(a)
	if pod == nil {
		return
	}
	pod.UID = cmp.Or(pod.UID, q.at.podUID)
	q.c.Pod, q.c.Name = pod, pod.Container
	q.c.Image = clean(cmp.Or(a["io.kubernetes.cri.image-name"], a[crio+"ImageName"]), maxValue)
	if a[crio+"SandboxID"] == "" {
		return
	}
	q.c.Runtime, q.named = CRIO, true
	var labels map[string]string
	if json.Unmarshal([]byte(a[crio+"Labels"]), &labels) == nil {
		q.c.Labels = cleanLabels(labels)
	}
	q.addIPs([]string{a[crio+"IP.0"], a[crio+"IP.1"]})
	pod.Labels = podLabels(q.c.Labels)
}

// podLabels leaves out what the kubelet and containerd's CRI plugin add for
// themselves.
func podLabels(labels map[string]string) map[string]string {
	out := make(map[string]string)
	for key, value := range labels {
		if !strings.HasPrefix(key, "io.kubernetes.") && !strings.HasPrefix(key, "io.cri-containerd.") {
			out[key] = value
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
