package policies

import (
	"maps"
	"slices"

	"advisor/trace"
)

// Observations are what was observed so far: one for each workload, sorted by
// [Workload.Compare]. Every list in them is sorted.
func (o *Observer) Observations() []Observation {
	replicas := make(map[Workload][]*container)
	ids := o.ids()
	for _, c := range o.containers {
		c.shown = ids[c]
		record, _ := c.record()
		w := WorkloadOf(&record)
		replicas[w] = append(replicas[w], c)
	}
	var list []Observation
	for _, w := range slices.SortedFunc(maps.Keys(replicas), Workload.Compare) {
		list = append(list, observe(w, replicas[w]))
	}
	return list
}

// ids are what containers go by in observations: the id, and where another has
// the same one, the node behind it; where that is the same, too, its boot; and
// where a trace says neither, the trace. Names of machines, and ids that a
// kernel counts, come again on another node.
func (o *Observer) ids() map[*container]string {
	ids := make(map[*container]string, len(o.containers))
	for _, c := range o.containers {
		ids[c] = c.key.id
	}
	for _, more := range []func(containerKey) string{
		func(k containerKey) string { return k.node },
		func(k containerKey) string { return k.boot },
		func(k containerKey) string { return k.trace },
	} {
		count := make(map[string]int)
		for _, id := range ids {
			count[id]++
		}
		for c, id := range ids {
			if suffix := more(c.key); count[id] > 1 && suffix != "" {
				ids[c] = id + "@" + suffix
			}
		}
	}
	return ids
}

func observe(w Workload, replicas []*container) Observation {
	slices.SortFunc(replicas, compareContainers)
	sum := newFacts()
	obs := Observation{Workload: w}
	uncounted := 0
	for _, c := range replicas {
		uncounted += sum.join(c)
		record, _ := c.record()
		record.ID = c.shown
		obs.Containers = append(obs.Containers, record)
		for _, e := range c.exits {
			e.Container = c.shown
			obs.Exits = append(obs.Exits, e)
		}
	}
	slices.SortStableFunc(obs.Exits, compareExits)
	sum.list(&obs)
	obs.Evidence = evidence(replicas, &obs)
	obs.FileEvidence = fileEvidence(replicas, &obs)
	if uncounted > 0 {
		obs.Evidence.miss(uint64(uncounted))
	}
	return obs
}

// join adds the facts of one container, and returns how many facts were
// counted in it that were never recorded.
func (f *facts) join(c *container) int {
	assigned := make(map[string]bool)
	f.syscalls.join(c.syscalls, assign(c.counts, assigned, c.syscalls))
	f.capabilities.join(c.capabilities, assign(c.counts, assigned, c.capabilities))
	f.connects.join(c.connects.in(c.shown), assign(c.counts, assigned, c.connects.seen()))
	f.accepts.join(c.accepts.in(c.shown), assign(c.counts, assigned, c.accepts.seen()))
	f.listens.join(c.listens, nil)
	f.denied.join(c.denied, nil)
	f.execs.join(c.execs, nil)
	f.files.join(c.files, nil)
	for key, args := range c.args {
		if f.args[key] == nil {
			f.args[key] = new(arguments)
		}
		f.args[key].join(args)
	}
	return len(c.counts) - len(assigned)
}

// list writes the facts into an observation, sorted.
func (f *facts) list(obs *Observation) {
	for key, seen := range f.syscalls {
		obs.Syscalls = append(obs.Syscalls, f.syscall(key, seen))
	}
	for k, seen := range f.capabilities {
		obs.Capabilities = append(obs.Capabilities, Capability{
			Phase: k.Phase, Name: k.Name, Allowed: k.Allowed, Syscall: k.Syscall, Outcome: k.Outcome,
			UserNS: k.UserNS, Overridden: k.Overridden, Site: k.Site, Audit: k.Audit,
			Sampled: k.Sampled, Seen: *seen,
		})
	}
	for k, seen := range f.listens {
		obs.Listens = append(obs.Listens, Listen{k.Protocol, k.Address, k.Port, *seen})
	}
	for k, seen := range f.denied {
		if k.Syscall == "" {
			k.Syscall = trace.SyscallName(k.Arch, k.Nr)
		}
		obs.Denied = append(obs.Denied, Denied{k.Arch, k.Nr, k.Syscall, k.Action, *seen})
	}
	f.listFiles(obs)
	f.listFlows(obs)
	obs.sort()
}

func (f *facts) syscall(key syscallKey, seen *Seen) Syscall {
	call := Syscall{
		Arch: key.Arch, Nr: key.Nr, Name: key.Name, Phase: key.Phase, Filtered: key.Filtered, Seen: *seen,
	}
	if call.Name == "" {
		call.Name = trace.SyscallName(key.Arch, key.Nr)
	}
	if args := f.args[key]; args != nil {
		call.Args = args.sorted()
		// Where a replica's arguments were not recorded, there may be others.
		call.ArgsOverflow = args.overflow || args.containers < seen.Containers
	}
	return call
}

func (f *facts) listFlows(obs *Observation) {
	for k, flow := range f.connects {
		obs.Connects = append(obs.Connects, Connect{
			Protocol: k.Protocol, Remote: k.Remote, Port: k.Port, Result: k.Result,
			Requested: k.Requested, RequestedPort: k.RequestedPort,
			Translated: k.Translated, TranslatedPort: k.TranslatedPort,
			Source: flow.samples[0].Address, Local: flow.samples[0].Port, Existing: flow.existing,
			Container: flow.samples[0].Container, Samples: flow.told(), Seen: flow.Seen,
		})
	}
	for k, flow := range f.accepts {
		obs.Accepts = append(obs.Accepts, Accept{
			Protocol: k.Protocol, Port: k.Port, Remote: k.Remote,
			Address: flow.samples[0].Address, PeerPort: flow.samples[0].Port, Existing: flow.existing,
			Container: flow.samples[0].Container, Samples: flow.told(), Seen: flow.Seen,
		})
	}
}
