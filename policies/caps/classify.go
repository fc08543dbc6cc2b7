package caps

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// Classify says of every capability check of o what it means, in o's order. A
// check in a call that was not seen to end has the outcome that the same check
// has elsewhere.
func Classify(o policies.Observation) []Fact {
	sites, groups := CallSites(), Groups()
	facts := make([]Fact, len(o.Capabilities))
	for i, c := range settle(o.Capabilities) {
		facts[i] = classify(c, siteOf(sites, c))
	}
	for i := range facts {
		markAlternative(facts, i, groups)
	}
	return facts
}

// check is what tells checks apart, but for how their calls ended.
type check struct {
	phase      trace.Phase
	name       string
	allowed    bool
	syscall    string
	userns     trace.UserNS
	overridden bool
	site       string
	audit      trace.Audit
}

func checkOf(c policies.Capability) check {
	return check{c.Phase, c.Name, c.Allowed, c.Syscall, c.UserNS, c.Overridden, c.Site, c.Audit}
}

// settle gives checks whose call was not seen to end the outcome that the same
// check has where it was; one that went on is taken before others. The rest of
// the list stays as it is.
func settle(list []policies.Capability) []policies.Capability {
	ends := make(map[check]string)
	for _, c := range list {
		if outcome(c) == trace.OutcomeUnknown {
			continue
		}
		if _, ok := ends[checkOf(c)]; !ok || went(c) {
			ends[checkOf(c)] = c.Outcome
		}
	}
	settled := slices.Clone(list)
	for i, c := range list {
		if end, ok := ends[checkOf(c)]; ok && outcome(c) == trace.OutcomeUnknown {
			settled[i].Outcome = end
		}
	}
	return settled
}

// classify decides all classes but alternative, which takes several facts.
func classify(c policies.Capability, site CallSite) Fact {
	f := Fact{Capability: c}
	switch {
	case c.Phase == trace.PhaseStart:
		f.Class = Runtime
		f.Reason = "asked by the runtime before the workload's first exec"
	case c.Overridden:
		f.Class = Incidental
		f.Reason = overriddenReason(c)
	case site.Meaning == Advisory:
		f.Class, f.Reason, f.Source = Incidental, site.Reason, site.Source
	case c.UserNS == trace.UserNSHost:
		f.Class = Foreign
		f.Reason = "asked in the host's user namespace, beyond the container's own"
	case c.UserNS == trace.UserNSOther:
		f.Class = Foreign
		f.Reason = "asked in another user namespace, such as one the workload made for itself"
	case c.Allowed:
		allowed(&f, site)
	default:
		refused(&f)
	}
	return f
}

func overriddenReason(c policies.Capability) string {
	if strings.HasPrefix(c.Syscall, "access") || strings.HasPrefix(c.Syscall, "faccessat") {
		return "access asks with the real user's credentials, not with those of the process"
	}
	return "asked with other credentials than the workload's, such as those of an overlay's mounter"
}

func allowed(f *Fact, site CallSite) {
	switch {
	case f.Audit == trace.AuditFalse && site.Meaning != Decisive:
		f.Class = Incidental
		f.Reason = "the kernel only wanted to know: a check it does not audit"
	case went(f.Capability) || site.Meaning == Decisive && f.Outcome == trace.OutcomeUnknown:
		f.Class = Needed
		f.Reason = "granted, and " + callOf(f.Capability) + " succeeded"
	case outcome(f.Capability) == trace.OutcomeUnknown:
		f.Class = Needed
		f.Reason = "granted; how " + callOf(f.Capability) + " ended was not seen"
	default:
		f.Class = Incidental
		f.Reason = fmt.Sprintf("granted, but %s failed with %s all the same",
			callOf(f.Capability), f.Outcome)
	}
	if f.Class == Needed && site.Reason != "" {
		f.Reason += ": " + site.Reason
		f.Source = site.Source
	}
}

func refused(f *Fact) {
	switch out := outcome(f.Capability); {
	case went(f.Capability):
		f.Class = Harmless
		f.Reason = "refused, and " + callOf(f.Capability) + " succeeded without it"
	case out == trace.OutcomeUnknown:
		f.Class = Denied
		f.Reason = "refused; how " + callOf(f.Capability) + " ended was not seen"
	case out == "EPERM" || out == "EACCES":
		f.Class = Denied
		f.Reason = "refused, and " + callOf(f.Capability) + " failed with " + out
	default:
		f.Class = Denied
		f.Reason = fmt.Sprintf("refused, and %s failed with %s, which may have another cause",
			callOf(f.Capability), out)
	}
}

func callOf(c policies.Capability) string {
	if c.Syscall == "" {
		return "what asked outside of any system call"
	}
	return c.Syscall
}

func outcome(c policies.Capability) string {
	if c.Outcome == "" {
		return trace.OutcomeUnknown
	}
	return c.Outcome
}

// went is true where the call did what it was asked, or is still at it: a
// connect in progress and a call that a signal interrupted had passed the check.
func went(c policies.Capability) bool {
	switch c.Outcome {
	case trace.OutcomeOK, "EINPROGRESS", "EINTR", "ERESTARTSYS", "ERESTARTNOINTR",
		"ERESTARTNOHAND", "ERESTART_RESTARTBLOCK":
		return true
	case "EAGAIN":
		return !slices.Contains(limited, c.Syscall)
	}
	return false
}

// limited are the calls that answer EAGAIN for a limit that a capability lifts
// (their sections ERRORS in man-pages 6.9), not for "try again".
var limited = []string{
	"clone", "clone3", "execve", "execveat", "fork", "mlock", "mlock2", "mlockall", "mmap",
	"mremap", "setresuid", "setreuid", "setuid", "timer_create", "vfork",
}

// markAlternative makes facts[i] an alternative where the kernel would have
// taken another capability in its place, or asked for another one before it.
func markAlternative(facts []Fact, i int, groups []Group) {
	f := &facts[i]
	if f.Class != Needed && f.Class != Harmless {
		return
	}
	for _, g := range groups {
		at := slices.Index(g.AnyOf, f.Name)
		if at < 0 || !g.asks(f.Capability) {
			continue
		}
		if reason, ok := alternativeReason(facts, *f, g, at); ok {
			f.Class, f.AnyOf, f.Reason, f.Source = Alternative, g.AnyOf, reason, g.Source
			return
		}
	}
}

func alternativeReason(facts []Fact, f Fact, g Group, at int) (string, bool) {
	if f.Allowed {
		for _, earlier := range g.AnyOf[:at] {
			if !slices.ContainsFunc(facts, besides(f, earlier, false)) {
				return "", false
			}
		}
		return "granted, and " + callOf(f.Capability) + " succeeded: any one of " +
			strings.Join(g.AnyOf, ", ") + " would do", true
	}
	for _, later := range g.AnyOf[at+1:] {
		if slices.ContainsFunc(facts, besides(f, later, true)) {
			return "refused, and " + later + ", which was asked next, granted in its place", true
		}
	}
	return "", false
}

// besides matches the check for another capability at the same place.
func besides(f Fact, name string, allowed bool) func(Fact) bool {
	return func(o Fact) bool {
		return o.Name == name && o.Allowed == allowed && o.Syscall == f.Syscall &&
			o.Phase == f.Phase && o.UserNS == f.UserNS && o.Overridden == f.Overridden &&
			(o.Site == f.Site || o.Site == "" || f.Site == "") && went(o.Capability)
	}
}
