package caps

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/trace"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Synthesize returns the smallest list that grants what o's workload needed.
// It fails where the options name an engine that is not one of [Engines].
func Synthesize(o policies.Observation, opt Options) (Synthesis, error) {
	engine, err := engineOf(opt.Engine)
	if err != nil {
		return Synthesis{}, err
	}
	s := Synthesis{Workload: o.Workload, Engine: engine.Name, PortStart: opt.PortStart, Drop: []string{"ALL"}}
	s.Facts, s.Verified = Classify(o), opt.Verified
	add := needed(s.Facts)
	opt.Verified.necessary(add)
	s.Notes = choose(s.Facts, add)
	inferred := inferredOf(s.Facts, add)
	if opt.Least && s.Verified != nil {
		s.Spared = s.Verified.spare(add)
	}
	if port, hidden := hiddenPort(o, opt); hidden {
		add["NET_BIND_SERVICE"] = true
		s.Notes = append(s.Notes, fmt.Sprintf(
			"NET_BIND_SERVICE is added for port %d, which needed none while recording", port))
	}
	s.Add = slices.Sorted(maps.Keys(add))
	s.Root = rootOf(o, nil)
	s.Security = security(o, s, opt)
	s.Notes = append(s.Notes, s.Root.notes()...)
	if s.Security.AllowPrivilegeEscalation == nil {
		s.Notes = append(s.Notes, "allowPrivilegeEscalation is left open: the trace does not tell "+
			"whether a process that gave up root runs set-user-id programs")
	}
	s.Notes = append(s.Notes, verifiedNotes(s, inferred)...)
	if s.Standing, err = Standard(meta.ObjectMeta{}, alone(s)); err != nil {
		return Synthesis{}, fmt.Errorf("pod security of %s: %w", o.Workload, err)
	}
	s.Caveats = caveats(o, s, opt)
	return s, nil
}

func needed(facts []Fact) map[string]bool {
	add := make(map[string]bool)
	for _, f := range facts {
		if f.Class == Needed {
			add[f.Name] = true
		}
	}
	return add
}

// inferredOf are the capabilities in add that the recording accounts for.
func inferredOf(facts []Fact, add map[string]bool) map[string]bool {
	set := make(map[string]bool)
	for _, f := range facts {
		if add[f.Name] && (f.Class == Needed || f.Class == Alternative && f.Allowed) {
			set[f.Name] = true
		}
	}
	return set
}

// choose adds one member of each set of alternatives to add, and says why. A
// member is only taken where it was the one granted while recording, or is in
// add already: that is what is known to work.
func choose(facts []Fact, add map[string]bool) []string {
	var notes []string
	for {
		open := unsatisfied(facts, add)
		if len(open) == 0 {
			slices.Sort(notes)
			return notes
		}
		name := best(open)
		f := open[slices.IndexFunc(open, func(f Fact) bool { return f.Name == name })]
		add[name] = true
		notes = append(notes, fmt.Sprintf(
			"%s is one of %s, and the one that was granted while recording%s",
			name, strings.Join(f.AnyOf, ", "), tradeOff(f.AnyOf)))
	}
}

func tradeOff(anyOf []string) string {
	if slices.Contains(anyOf, "DAC_READ_SEARCH") {
		return "; DAC_READ_SEARCH only reads, but opens files by handle " +
			"(open_by_handle_at), and Pod Security's baseline refuses it"
	}
	return ""
}

// unsatisfied are the granted alternatives for which add has neither the member
// that was granted nor one the kernel asks for after it. That one asked before
// it would do as well is likely, but the recording does not show it: the same
// call may have asked for the later one alone another time.
func unsatisfied(facts []Fact, add map[string]bool) []Fact {
	var open []Fact
	has := func(name string) bool { return add[name] }
	for _, f := range facts {
		if f.Class == Alternative && f.Allowed && !slices.ContainsFunc(f.sure(), has) {
			open = append(open, f)
		}
	}
	return open
}

// sure are the alternatives from the granted one on.
func (f Fact) sure() []string { return f.AnyOf[max(0, slices.Index(f.AnyOf, f.Name)):] }

// best is the granted capability that satisfies most of open; of equals the
// one the kernel asks for first, which is the weaker one.
func best(open []Fact) string {
	return slices.MaxFunc(open, func(a, b Fact) int {
		return cmp.Or(
			cmp.Compare(satisfies(open, a.Name), satisfies(open, b.Name)),
			cmp.Compare(slices.Index(b.AnyOf, b.Name), slices.Index(a.AnyOf, a.Name)),
			strings.Compare(b.Name, a.Name),
		)
	}).Name
}

func satisfies(open []Fact, name string) int {
	n := 0
	for _, f := range open {
		if slices.Contains(f.sure(), name) {
			n++
		}
	}
	return n
}

// hiddenPort is the lowest port the workload listened on that needed no
// NET_BIND_SERVICE while recording but does where opt says it will run.
func hiddenPort(o policies.Observation, opt Options) (int, bool) {
	if opt.PortStart == nil {
		return 0, false
	}
	for _, port := range boundPorts(o) {
		if port < *opt.PortStart {
			return port, true
		}
	}
	return 0, false
}

// boundPorts are the local ports the workload served on, sorted.
func boundPorts(o policies.Observation) []int {
	ports := make(map[int]bool)
	for _, l := range o.Listens {
		ports[l.Port] = true
	}
	for _, a := range o.Accepts {
		ports[a.Port] = true
	}
	delete(ports, 0)
	return slices.Sorted(maps.Keys(ports))
}

// userOf is the uid and gid the runtime started every replica as, as far as
// all agree; gid is -1 where none was given.
func userOf(o policies.Observation) (uid, gid int64, known bool) {
	gid = -1
	for i, c := range o.Containers {
		if c.Granted == nil || c.Granted.User == "" {
			return 0, -1, false
		}
		user, group, both := strings.Cut(c.Granted.User, ":")
		u, err := strconv.ParseInt(user, 10, 64)
		if err != nil || i > 0 && u != uid {
			return 0, -1, false
		}
		uid = u
		if g, err := strconv.ParseInt(group, 10, 64); both && err == nil {
			gid = g
		}
	}
	return uid, gid, len(o.Containers) > 0
}

func security(o policies.Observation, s Synthesis, opt Options) Security {
	sec := Security{AllowPrivilegeEscalation: escalation(o, s)}
	if sec.AllowPrivilegeEscalation == nil && opt.Least && opt.Verified.passed(TriedNoNewPrivileges) != nil {
		sec.AllowPrivilegeEscalation = new(false)
	}
	sec.readOnly(s.Root, opt)
	if uid, gid, ok := userOf(o); ok && uid != 0 {
		sec.RunAsNonRoot, sec.RunAsUser = new(true), &uid
		if gid >= 0 {
			sec.RunAsGroup = &gid
		}
	}
	switch {
	case opt.SeccompProfile != "":
		sec.SeccompType, sec.SeccompProfile = "Localhost", opt.SeccompProfile
	case ranFiltered(o):
		sec.SeccompType = "RuntimeDefault"
	}
	return sec
}

// readOnly says what is known to be possible of a read-only root file system:
// as it is, or with a tmpfs at some directories.
func (sec *Security) readOnly(root Root, opt Options) {
	possible := root.untouched()
	sec.Tmpfs = root.tmpfs()
	if tried := opt.Verified.passed(TriedReadOnly); opt.Least && tried != nil && root.unseen() {
		sec.Tmpfs, possible = tried.Tmpfs, len(tried.Tmpfs) == 0
	}
	if possible {
		sec.ReadOnlyRootFilesystem = new(true)
	}
}

// escalation is allowPrivilegeEscalation as far as the trace tells: nil where
// root becomes another user, who may then run set-user-id programs unseen.
func escalation(o policies.Observation, s Synthesis) *bool {
	uid, _, known := userOf(o)
	switch {
	case ranWithoutNewPrivileges(o):
		return new(false)
	case known && uid != 0:
		// Without a capability to begin with, one can only have come from a
		// set-user-id program or file capabilities, which no_new_privs stops.
		return new(slices.ContainsFunc(o.Capabilities, own))
	case known && !slices.Contains(s.Add, "SETUID"):
		return new(false)
	}
	return nil
}

// own is true for a check that the workload's own credentials passed.
func own(c policies.Capability) bool {
	return c.Phase != trace.PhaseStart && c.Allowed && !c.Overridden &&
		c.UserNS != trace.UserNSOther && c.UserNS != trace.UserNSHost
}

func ranWithoutNewPrivileges(o policies.Observation) bool {
	for _, c := range o.Containers {
		if c.Granted == nil || c.Granted.NoNewPrivileges == nil || !*c.Granted.NoNewPrivileges {
			return false
		}
	}
	return len(o.Containers) > 0
}

// ranFiltered is true where every replica ran under a seccomp filter that
// refused it nothing, or only as an older kernel would: the C library asks for
// clone3 first and does without it, and engines' own filters refuse it so.
func ranFiltered(o policies.Observation) bool {
	refused := slices.ContainsFunc(o.Denied, func(d policies.Denied) bool { return d.Action != "ENOSYS" })
	if len(o.Containers) == 0 || refused {
		return false
	}
	for _, c := range o.Containers {
		if c.Granted == nil || c.Granted.Seccomp == "" || c.Granted.Seccomp == "unconfined" {
			return false
		}
	}
	return true
}
