package container

import (
	"cmp"
	"sync"

	"advisor/trace"
)

// maxRemembered bounds how many containers are remembered. A container is asked
// about within seconds of its first call, so the oldest are the ones to forget.
const maxRemembered = 1 << 14

// told is what a runtime told of a container before anybody asked.
type told struct {
	runtime, name, image string
	labels               map[string]string
	pod                  *trace.Pod
}

// memory keeps it, because a container that removes itself takes everything that
// its runtime has on disk with it.
type memory struct {
	mu    sync.Mutex
	known map[string]told
	order []string // of ids, oldest first

	pods     map[string]map[string]string // labels by the pod's uid
	podOrder []string
}

func newMemory() *memory {
	return &memory{known: make(map[string]told), pods: make(map[string]map[string]string)}
}

// putPod keeps the labels of a pod: its sandbox has them, and may be gone when one
// of its containers is asked about.
func (m *memory) putPod(uid string, labels map[string]string) {
	if uid == "" || len(uid) > maxName || len(labels) == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.pods[uid]; !known {
		m.podOrder = append(m.podOrder, uid)
	}
	m.pods[uid] = labels
	if len(m.podOrder) > maxRemembered {
		delete(m.pods, m.podOrder[0])
		m.podOrder = m.podOrder[1:]
	}
}

// labelled is pod with the labels that are remembered, where it has none.
func (m *memory) labelled(pod *trace.Pod) *trace.Pod {
	if pod == nil || len(pod.Labels) > 0 {
		return pod
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	with := *pod
	with.Labels = m.pods[pod.UID]
	return &with
}

// put takes over what is new of id. An event says less than the runtime's list,
// so what it leaves out stays.
func (m *memory) put(id string, t told) {
	if id == "" || len(id) > maxName {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old, known := m.known[id]
	if !known {
		m.order = append(m.order, id)
	}
	t.runtime = cmp.Or(t.runtime, old.runtime)
	t.name = cmp.Or(t.name, old.name)
	t.image = cmp.Or(t.image, old.image)
	if len(t.labels) == 0 {
		t.labels = old.labels
	}
	t.pod = cmp.Or(t.pod, old.pod)
	m.known[id] = t
	if len(m.order) > maxRemembered {
		delete(m.known, m.order[0])
		m.order = m.order[1:]
	}
}

func (m *memory) get(id string) (told, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, ok := m.known[id]
	return t, ok
}

// recall fills in what nobody answers any more. A container that lives is asked
// about again, for the rest.
func (q *query) recall() {
	t, ok := q.memory.get(q.at.id)
	if !ok || q.named {
		return
	}
	q.c.Runtime = cmp.Or(q.c.Runtime, t.runtime)
	q.c.Name = cmp.Or(q.c.Name, t.name)
	q.c.Image = cmp.Or(q.c.Image, t.image)
	if q.c.Labels == nil {
		q.c.Labels = t.labels
	}
	if q.c.Pod == nil || q.c.Pod.Name == "" {
		q.c.Pod = cmp.Or(t.pod, q.c.Pod)
	}
	q.named = !q.live
}

// Locate names the container of s by what is in memory already: the cgroup's
// name, and what runtimes told unasked. It asks nobody, reads nothing, and is
// the last resort where [Resolver.Resolve] had no answer in time.
func (r *Resolver) Locate(s Sight) trace.Container {
	q := &query{Resolver: r, sight: s}
	q.place()
	q.recall()
	q.c.Pod = q.memory.labelled(q.c.Pod)
	c, _ := q.answer()
	return c
}
