package container

import (
	"path"
	"slices"
	"strings"

	"advisor/trace"
)

// Selection says which containers to record. The zero value selects every
// container and nothing of the host. Values of one field are alternatives;
// fields that are set must all hold, as in kubectl.
type Selection struct {
	// Containers are names, in the pod or of the runtime, or ids, or at least
	// the first 12 digits of one.
	Containers []string
	Pods       []string // pod names
	Namespaces []string // of Kubernetes
	// Images are references with or without tag or digest, or shell patterns.
	Images []string
	// Labels must all be there, of the pod or the container; "" is any value.
	Labels map[string]string
	Host   bool // units and processes of the host too
}

// Empty tells whether nothing is selected by name.
func (s Selection) Empty() bool {
	return len(s.Containers)+len(s.Pods)+len(s.Namespaces)+len(s.Images)+len(s.Labels) == 0
}

// Match tells whether c is selected. What is not known of c yet does not
// match: ask again when it is.
func (s Selection) Match(c trace.Container) bool {
	if c.Runtime == Host && !s.Host {
		return false
	}
	if c.Runtime == Host && s.Empty() {
		return true
	}
	var pod trace.Pod
	if c.Pod != nil {
		pod = *c.Pod
	}
	return among(s.Containers, func(want string) bool { return called(c, want) }) &&
		among(s.Pods, func(want string) bool { return want == pod.Name }) &&
		among(s.Namespaces, func(want string) bool { return want == pod.Namespace }) &&
		among(s.Images, func(want string) bool { return sameImage(want, c.Image) }) &&
		labelled(s.Labels, c.Labels, pod.Labels)
}

// Unsure tells whether too little is known of c to say that it is not selected:
// a runtime made it, and nobody has said what it is called. The sandbox of a pod
// is a container without a name, and its pod says all there is to say of it.
func (s Selection) Unsure(c trace.Container) bool {
	switch {
	case s.Empty(), s.Match(c), c.Runtime == Host, c.Runtime == Command:
		return false
	case c.Runtime == "" && !isID(c.ID):
		return false
	case c.Name == "":
		return c.Pod == nil || c.Pod.Name == ""
	}
	ofPods := len(s.Pods)+len(s.Namespaces)+len(s.Labels) > 0
	return ofPods && c.Pod != nil && c.Pod.Name == ""
}

// Names returns those names and ids of s, of containers and of pods, that c goes by.
func (s Selection) Names(c trace.Container) []string {
	var names []string
	for _, want := range s.Containers {
		if called(c, want) {
			names = append(names, want)
		}
	}
	for _, want := range s.Pods {
		if c.Pod != nil && want == c.Pod.Name {
			names = append(names, want)
		}
	}
	return names
}

func among(wanted []string, is func(string) bool) bool {
	return len(wanted) == 0 || slices.ContainsFunc(wanted, is)
}

func called(c trace.Container, want string) bool {
	if want == "" {
		return false
	}
	if want == c.Name || want == c.ID || c.Pod != nil && want == c.Pod.Container {
		return true
	}
	return isID(c.ID) && len(want) >= 12 && strings.HasPrefix(c.ID, want)
}

// sameImage compares references. Without a tag in want any tag does; the
// registry's and library's default names may be left out.
func sameImage(want, image string) bool {
	want, image = shortImage(want), shortImage(image)
	if image == "" || want == "" {
		return false
	}
	if want == image || want == bareImage(image) {
		return true
	}
	ok, err := path.Match(want, image)
	return err == nil && ok
}

// shortImage leaves out what docker.io and its library add.
func shortImage(ref string) string {
	ref = strings.TrimPrefix(ref, "docker.io/")
	return strings.TrimPrefix(ref, "library/")
}

// bareImage cuts digest and tag off.
func bareImage(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	if colon := strings.LastIndexByte(ref, ':'); colon > strings.LastIndexByte(ref, '/') {
		ref = ref[:colon]
	}
	return ref
}

func labelled(want, container, pod map[string]string) bool {
	for key, value := range want {
		got, ok := pod[key]
		if !ok {
			got, ok = container[key]
		}
		if !ok || value != "" && got != value {
			return false
		}
	}
	return true
}
