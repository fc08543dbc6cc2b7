package monitor

import (
	"time"

	"advisor/bpf"
)

const (
	// unownedFor is how long a network fact waits for a container in its network.
	unownedFor = time.Minute
	// tidyEvery is how many scans come between two looks for such facts.
	tidyEvery = 10
)

// dropNobodys forgets network facts that the kernel could give to nobody, in
// networks that no container is in: of one that has gone, or of a process that has
// a network of its own and is the host's otherwise. There is room for so many of
// them, and nothing else ends them.
func (r *recording) dropNobodys() error {
	in := r.facts.in[0]
	if in == nil {
		return nil
	}
	networks := make(map[uint32]bool)
	for _, s := range r.spaces {
		networks[s.netns] = true
	}
	nets := r.p.coll.Maps[bpf.RecorderMapNets]
	err := deleteIf(nets, func(k *bpf.RecorderNetKey) bool {
		if k.Id != 0 || networks[k.Netns] {
			return false
		}
		id := idOf(r.facts.ids, *k)
		if _, waits := in.nets.since[id]; waits && in.nets.waited(id) < unownedFor {
			return false
		}
		in.nets.forget(id)
		delete(in.answered, r.facts.peer(k))
		return true
	})
	if len(in.nets.over)+len(in.nets.since) == 0 {
		r.facts.forget(0)
	}
	return err
}
