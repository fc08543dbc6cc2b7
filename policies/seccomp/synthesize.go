package seccomp

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// Options steer [Synthesize]. The zero value is what most workloads want.
type Options struct {
	// Runtime is "runc", "crun" or "auto" (also empty: what the traces name,
	// else both), with a version behind it to take only that version's calls:
	// "runc 1.2.9".
	Runtime string
	// NoNewPrivileges says that the workload always runs with it, which lets
	// the runtime load the filter later; nil: as the traces say, else not.
	NoNewPrivileges *bool
	// Action for calls that are not allowed: "errno" (also empty), "kill", or
	// "log", which lets them pass and logs them, for a trial run.
	Action string
	// Add names calls to allow beside the observed ones.
	Add []string
	// Base is a profile whose allowed calls are allowed too.
	Base *Profile
	// BaseText is the text that Base was read from. The proof reads it by itself.
	BaseText []byte
	// SpellOut refuses every call by its name, for what has no errno for the
	// default action: SeccompProfile objects, and engines that drop it, such as
	// Docker 20.10.
	SpellOut bool
	// Arguments restricts calls to the recorded arguments where the traces
	// have them.
	Arguments bool
	// Context is the one to read Base and to prove the profile under; its
	// architecture and capabilities matter.
	Context Context
}

// Because is why a call is allowed.
type Because string

// The reasons, strongest first: a call has the first that applies.
const (
	Workload     Because = "workload"      // it was observed
	User         Because = "user"          // it was asked for
	RuntimeFloor Because = "runtime-floor" // the runtime makes it under the filter
	LibcFallback Because = "libc-fallback" // libc makes it instead of an observed one
	VDSO         Because = "vdso"          // it is answered in user space most of the time
)

var reasons = [...]Because{Workload, User, RuntimeFloor, LibcFallback, VDSO}

// Reason is why one call is in a synthesized profile.
type Reason struct {
	Arch   string  `json:"arch"` // audit architecture
	Nr     int     `json:"nr"`
	Name   string  `json:"name"`
	Reason Because `json:"reason"`
	// Detail is more in words: the runtime, the call it stands in for.
	Detail string `json:"detail,omitempty"`
	// Args says how many argument alternatives it is restricted to; 0: none.
	Args int           `json:"args,omitempty"`
	Seen policies.Seen `json:"seen"`
}

// Synthesis is a profile with the reasons for each call of it.
type Synthesis struct {
	Profile Profile  `json:"-"`
	Reasons []Reason `json:"reasons"` // by name, then architecture
	Notes   []string `json:"notes,omitempty"`
}

// ErrNothingObserved says that there is no system call to make a profile from.
var ErrNothingObserved = errors.New("no system call was observed")

// Synthesize makes the smallest profile that admits every call of o and what
// the runtime and libc need besides. It is the same for the same facts.
func Synthesize(o policies.Observation, opt Options) (Synthesis, error) {
	if err := opt.check(); err != nil {
		return Synthesis{}, err
	}
	d := newDraft(o, opt)
	if len(d.archs) == 0 {
		return Synthesis{}, fmt.Errorf("%s: %w", o.Workload, ErrNothingObserved)
	}
	d.observed(o)
	d.asked()
	d.floor(o)
	d.libc()
	if err := d.base(); err != nil {
		return Synthesis{}, err
	}
	d.restrict()
	p := d.profile(o)
	if opt.SpellOut {
		p = WithoutDefaultErrno(p)
	}
	return Synthesis{Profile: p, Reasons: d.sorted(), Notes: d.notes}, nil
}

func (opt Options) check() error {
	switch opt.Action {
	case "", "errno", "kill", "log":
	default:
		return fmt.Errorf("action %q: not one of errno, kill, log", opt.Action)
	}
	family, version, versioned := strings.Cut(opt.Runtime, " ")
	switch family {
	case "", "auto", Runc, Crun:
	default:
		return fmt.Errorf("runtime %q: not one of runc, crun, auto", opt.Runtime)
	}
	if versioned && len(numbers(version)) == 0 {
		return fmt.Errorf("runtime %q: %q is not a version, as 1.2.9 is", opt.Runtime, version)
	}
	for _, name := range opt.Add {
		if !anywhere(name) {
			return fmt.Errorf("system call %q: no architecture has it", name)
		}
	}
	return nil
}

// anywhere tells whether any architecture has a call of that name.
func anywhere(name string) bool {
	for _, arch := range trace.Archs() {
		if _, ok := trace.SyscallNumber(arch, name); ok {
			return true
		}
	}
	return false
}

// draft is a profile in the making.
type draft struct {
	opt     Options
	archs   []string // audit architectures of the profile
	reasons map[call]Reason
	// sightings are the needed observations of each name; floorNames and anyhow
	// are names allowed for other reasons, with arguments known or not.
	sightings  map[string][]policies.Syscall
	floorNames []string
	anyhow     []string
	args       map[string][][]Arg // by name: alternatives; absent: allowed whole
	extra      []Rule             // rules of Base with conditions
	notes      []string
}

func newDraft(o policies.Observation, opt Options) *draft {
	d := &draft{
		opt: opt, reasons: map[call]Reason{}, args: map[string][][]Arg{},
		sightings: map[string][]policies.Syscall{},
	}
	d.archs = architectures(o)
	return d
}

// architectures are those that were seen, in the order of abis, and the host's own:
// a runtime that is a program of it has it in force, whatever is listed.
func architectures(o policies.Observation) []string {
	var list []string
	for _, a := range abis {
		if slices.ContainsFunc(o.Syscalls, func(s policies.Syscall) bool {
			seen, ok := abiByAudit(s.Arch)
			return s.Arch == a.audit || ok && seen.host == a.audit
		}) {
			list = append(list, a.audit)
		}
	}
	return list
}

// add allows a call for a reason, unless a stronger one is there.
func (d *draft) add(r Reason) {
	at := call{r.Arch, r.Nr}
	if have, ok := d.reasons[at]; ok && stronger(have.Reason, r.Reason) {
		return
	}
	d.reasons[at] = r
}

func stronger(a, b Because) bool {
	return slices.Index(reasons[:], a) <= slices.Index(reasons[:], b)
}

// addName allows a call by name on every architecture seen that has it.
func (d *draft) addName(name string, why Because, detail string) {
	for _, arch := range d.archs {
		d.addOn(arch, name, why, detail)
	}
}

func (d *draft) addOn(arch, name string, why Because, detail string) {
	nr, ok := trace.SyscallNumber(arch, name)
	if !ok {
		return
	}
	d.add(Reason{Arch: arch, Nr: nr, Name: name, Reason: why, Detail: detail})
}

func (d *draft) note(format string, args ...any) {
	d.notes = append(d.notes, fmt.Sprintf(format, args...))
}

func (d *draft) sorted() []Reason {
	for at, r := range d.reasons {
		r.Args = len(d.args[r.Name])
		d.reasons[at] = r
	}
	return slices.SortedFunc(maps.Values(d.reasons), func(a, b Reason) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Arch, b.Arch))
	})
}

// names are the calls allowed, sorted.
func (d *draft) names() []string {
	var names []string
	for _, r := range d.reasons {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
