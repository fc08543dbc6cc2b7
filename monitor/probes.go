package monitor

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/rlimit"

	"advisor/bpf"
)

// probes are the programs at work, over the maps they share. Links that nobody
// holds are closed by the garbage collector, so they are kept here.
type probes struct {
	spec  *ebpf.CollectionSpec
	coll  *ebpf.Collection // maps, and the programs every recording needs
	links []link.Link
	hooks []string        // the program behind each link
	held  []*ebpf.Program // those that may be passed over, see [probes.missed]
	exits *ebpf.Program   // of sys_exit, nil where it is not wanted
	leave link.Link       // sys_exit, attached only while it is needed
	state *state
	cache *btf.Cache
	ahead map[string]chan loaded // by their programs

	wayOut  string // the program of sys_exit
	without string // see [limits]
	pinned  string // folder, "" where nothing is pinned
}

// core are the programs without which nothing can be recorded. newtask comes
// before enter, or a new task could be taken for the one that had its stack.
func core() []string {
	return []string{
		bpf.RecorderProgNewtask, bpf.RecorderProgExec, bpf.RecorderProgGone,
		bpf.RecorderProgEnter,
	}
}

// limits bound what the kernel keeps.
type limits struct {
	slots uint32 // containers at a time
	exits bool   // sys_exit may be attached

	args    bool   // arguments are watched
	counts  bool   // occurrences are counted
	strict  bool   // every call is asked for its ABI
	files   bool   // programs and files are
	last    int    // calls kept of each container
	without string // a core program that is left out
	ring    uint32 // bytes of the ring of events, 0 for the usual
	crowded bool   // all tasks share an entry of the stack table
}

// wayOut is the program of sys_exit that these need.
func (l limits) wayOut() string {
	if l.files || l.last > 0 {
		return bpf.RecorderProgLeaveMore
	}
	return bpf.RecorderProgLeave
}

// load creates the maps and the core programs, and attaches nothing yet.
func load(l limits) (*probes, error) {
	// Needed before 5.11; later kernels refuse it without CAP_SYS_RESOURCE and
	// do not need it.
	_ = rlimit.RemoveMemlock()
	spec, err := embedded()
	if err != nil {
		return nil, fmt.Errorf("reading the embedded programs: %w", err)
	}
	p := &probes{
		spec: spec, cache: btf.NewCache(), ahead: make(map[string]chan loaded),
		wayOut: l.wayOut(), without: l.without,
	}
	if err := p.configure(l); err != nil {
		return nil, err
	}
	names := append(core(), bpf.RecorderProgListTasks)
	p.coll, err = p.collection(names, nil)
	if err != nil {
		return nil, fmt.Errorf("loading the probes: %w", err)
	}
	if p.state, err = newState(spec, p.coll, l.slots); err != nil {
		p.coll.Close()
		return nil, err
	}
	if err := p.state.freeRings(l.last, l.slots); err != nil {
		p.coll.Close()
		return nil, err
	}
	return p, nil
}

// embedded is the object for the running kernel: before 5.11 the current task
// has no type there, and each of its members is read by a call.
func embedded() (*ebpf.CollectionSpec, error) {
	err := features.HaveProgramHelper(ebpf.RawTracepoint, asm.FnGetCurrentTaskBtf)
	if errors.Is(err, ebpf.ErrNotSupported) {
		return bpf.LoadUntyped()
	}
	return bpf.LoadRecorder()
}

func (p *probes) configure(l limits) error {
	if l.exits {
		if err := p.spec.Variables[bpf.RecorderVarExitsWanted].Set(uint8(1)); err != nil {
			return fmt.Errorf("setting up the probes: %w", err)
		}
	}
	if l.strict {
		if err := p.spec.Variables[bpf.RecorderVarStrictCompat].Set(uint8(1)); err != nil {
			return fmt.Errorf("setting up the probes: %w", err)
		}
	}
	if l.crowded {
		if err := p.spec.Variables[bpf.RecorderVarOneStack].Set(uint8(1)); err != nil {
			return fmt.Errorf("setting up the probes: %w", err)
		}
	}
	if err := p.configureCounts(l.counts); err != nil {
		return err
	}
	if l.args {
		if err := p.watchArguments(); err != nil {
			return err
		}
	}
	if err := errors.Join(p.watchFiles(l.files), p.watchLast(l.last, l.slots)); err != nil {
		return err
	}
	if l.ring > 0 {
		p.spec.Maps[bpf.RecorderMapEvents].MaxEntries = l.ring
	}
	shift := p.spec.Variables[bpf.RecorderVarStackShift]
	if err := shift.Set(p.stackShift()); err != nil {
		return fmt.Errorf("setting up the probes: %w", err)
	}
	return nil
}

// stackShift is the binary logarithm of the kernel's stack size, which KASAN
// and large pages change. A wrong one costs time, never a fact.
func (p *probes) stackShift() uint32 {
	const usual = 14
	kernel, err := p.cache.Kernel()
	if err != nil {
		return usual
	}
	var union *btf.Union
	if kernel.TypeByName("thread_union", &union) != nil || union.Size == 0 {
		return usual
	}
	shift := uint32(0)
	for size := union.Size; size > 1; size >>= 1 {
		shift++
	}
	return shift
}

// collection loads the named programs, over the maps in shared where given.
func (p *probes) collection(names []string, shared map[string]*ebpf.Map) (*ebpf.Collection, error) {
	// A copy of all would copy the state's first contents, megabytes of zeros.
	spec := &ebpf.CollectionSpec{
		Maps: p.spec.Maps, Variables: p.spec.Variables, Programs: make(map[string]*ebpf.ProgramSpec),
		Types: p.spec.Types, ByteOrder: p.spec.ByteOrder,
	}
	for _, name := range names {
		if prog := p.spec.Programs[name]; prog != nil {
			spec.Programs[name] = prog.Copy()
		}
	}
	opts := ebpf.CollectionOptions{MapReplacements: shared, Cache: p.cache}
	return ebpf.NewCollectionWithOptions(spec, opts)
}

// attachCore attaches the programs every recording needs.
func (p *probes) attachCore() error {
	for _, name := range core() {
		if name == p.without {
			continue
		}
		l, err := attach(p.spec.Programs[name], p.coll.Programs[name], "")
		if err != nil {
			return fmt.Errorf("attaching %s: %w", p.spec.Programs[name].SectionName, err)
		}
		p.links, p.hooks = append(p.links, l), append(p.hooks, name)
		p.keep(name, p.coll.Programs[name])
	}
	return nil
}

// add loads and attaches all of the named programs or none: whether a kernel
// can run a program is found out by running it, not by the kernel's version.
func (p *probes) add(cgroup string, names ...string) error {
	links, err := p.start(cgroup, names)
	if err != nil {
		return err
	}
	p.links, p.hooks = append(p.links, links...), append(p.hooks, names...)
	return nil
}

// start attaches programs. The links hold them; what else loading made is
// closed, or the state would be mapped once for each.
func (p *probes) start(cgroup string, names []string) ([]link.Link, error) {
	coll, err := p.take(names)
	if err != nil {
		return nil, fmt.Errorf("loading %s: %w", strings.Join(names, ", "), err)
	}
	defer coll.Close()
	var links []link.Link
	for _, name := range names {
		l, err := attach(p.spec.Programs[name], coll.Programs[name], cgroup)
		if err != nil {
			closeAll(links)
			return nil, fmt.Errorf("attaching %s: %w", p.spec.Programs[name].SectionName, err)
		}
		links = append(links, l)
		p.keep(name, coll.Programs[name])
	}
	return links, nil
}

func attach(spec *ebpf.ProgramSpec, prog *ebpf.Program, cgroup string) (link.Link, error) {
	kind, _, _ := strings.Cut(spec.SectionName, "/")
	switch kind {
	case "raw_tp":
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: spec.AttachTo, Program: prog})
	case "kprobe":
		return link.Kprobe(spec.AttachTo, prog, nil)
	case "kretprobe":
		return link.Kretprobe(spec.AttachTo, prog, nil)
	case "cgroup", "cgroup_skb":
		return link.AttachCgroup(link.CgroupOptions{
			Path: cgroup, Attach: spec.AttachType, Program: prog,
		})
	}
	return link.AttachTracing(link.TracingOptions{Program: prog})
}

// loadExits has the program on the way out of system calls ready.
func (p *probes) loadExits() error {
	coll, err := p.take([]string{p.wayOut})
	if err != nil {
		return fmt.Errorf("loading %s: %w", p.spec.Programs[p.wayOut].SectionName, err)
	}
	defer coll.Close()
	if p.exits, err = coll.Programs[p.wayOut].Clone(); err != nil {
		return fmt.Errorf("keeping the probe of sys_exit: %w", err)
	}
	p.keep(p.wayOut, p.exits)
	return nil
}

// watchExits attaches the program on the way out of system calls, or detaches
// it. It costs every system call of the host.
func (p *probes) watchExits(on bool) error {
	if on == (p.leave != nil) || p.exits == nil {
		return nil
	}
	if !on {
		err := p.state.write(bpf.RecorderVarLeaving, uint32(0))
		if p.pinned != "" {
			err = errors.Join(err, p.leave.Unpin())
		}
		err = errors.Join(err, p.leave.Close())
		p.leave = nil
		return err
	}
	l, err := attach(p.spec.Programs[p.wayOut], p.exits, "")
	if err != nil {
		return fmt.Errorf("attaching sys_exit: %w", err)
	}
	p.leave = l
	return errors.Join(p.state.write(bpf.RecorderVarLeaving, uint32(1)), p.pinLeave())
}

// settle gives back what only loading needed: the types of the kernel and of the
// probes, and their instructions. What stays says where each is attached.
func (p *probes) settle() {
	p.cache = nil
	places := make(map[string]*ebpf.ProgramSpec)
	for name, prog := range p.spec.Programs {
		places[name] = &ebpf.ProgramSpec{
			Name: prog.Name, SectionName: prog.SectionName, AttachTo: prog.AttachTo,
			AttachType: prog.AttachType,
		}
	}
	p.spec = &ebpf.CollectionSpec{Programs: places}
	go debug.FreeOSMemory() // nothing waits for it
}

// detach stops recording; the state can still be read. enter goes before
// newtask, the other way round than they came.
func (p *probes) detach() error {
	err := p.watchExits(false)
	if p.pinned != "" {
		err = errors.Join(err, Cleanup(p.pinned))
		p.pinned = ""
	}
	slices.Reverse(p.links)
	err = errors.Join(err, closeAll(p.links))
	p.links = nil
	return err
}

func (p *probes) close() error {
	err := p.detach()
	if p.exits != nil {
		p.exits.Close()
	}
	for _, prog := range p.held {
		prog.Close()
	}
	p.state.ring.Close()
	p.coll.Close()
	return err
}

func closeAll(links []link.Link) error {
	var errs []error
	for _, l := range links {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
