package caps

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// Prove replays o under the list of s as the engine resolves it, check by
// check, with rules of its own: it looks at what was observed, never at the
// classes that the list was made from.
//
// It holds that every granted check whose call went on is granted again, or is
// one the kernel can do without, or that another capability which the kernel
// asks for at the same place is granted; that nothing is granted that no check
// and no port accounts for; and that the level of s is the one its context has.
func Prove(s Synthesis, o policies.Observation) policies.Proof {
	proof := policies.Proof{Kind: "caps"}
	granted, err := resolved(s)
	if err != nil {
		proof.Failed = []string{err.Error()}
	}
	spared := 0
	for _, c := range settle(o.Capabilities) {
		proof.Checked++
		switch what := replay(c, granted); {
		case what == "":
		case excused(s, c):
			spared++
		default:
			proof.Failed = append(proof.Failed, what)
		}
	}
	for _, name := range granted {
		proof.Checked++
		if !accounted(name, s, o) && !experimental(s, name) {
			proof.Failed = append(proof.Failed, name+" is granted, and nothing observed accounts for it")
		}
	}
	proof.Failed = append(proof.Failed, standardHolds(s, granted)...)
	proof.Failed = append(proof.Failed, rootHolds(s, o)...)
	slices.Sort(proof.Failed)
	proof.Failed = slices.Compact(proof.Failed)
	proof.Summary = proofSummary(proof, granted, spared)
	return proof
}

// excused says that a check may go unanswered, because the experiment that s
// rests on passed without the capability.
func excused(s Synthesis, c policies.Capability) bool {
	if s.Verified == nil || slices.Contains(s.Verified.Least, c.Name) {
		return false
	}
	return slices.ContainsFunc(s.Verified.Verdicts, func(t Trial) bool {
		return t.Name == c.Name && !t.Necessary
	})
}

// experimental says that the experiment is the reason for a capability.
func experimental(s Synthesis, name string) bool {
	return s.Verified != nil && slices.Contains(s.Verified.Least, name)
}

func resolved(s Synthesis) ([]string, error) {
	engine, err := engineOf(s.Engine)
	if err != nil {
		return nil, err
	}
	return engine.Resolve(s.Add, s.Drop)
}

func proofSummary(p policies.Proof, granted []string, spared int) string {
	if !p.OK() {
		return fmt.Sprintf("%d of %d facts do not hold", len(p.Failed), p.Checked)
	}
	text := fmt.Sprintf("%s of check replayed under %s: each is granted or not needed",
		plural(p.Checked-len(granted), "kind", "kinds"), plural(len(granted), "capability", "capabilities"))
	if spared > 0 {
		text += fmt.Sprintf(", %d of them by the experiment alone", spared)
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// replay says what goes wrong with a check where only granted is held, "" if
// nothing does.
func replay(c policies.Capability, granted []string) string {
	switch {
	case !c.Allowed, slices.Contains(granted, c.Name):
		return "" // as it was, or granted now
	case c.Phase == trace.PhaseStart, c.Overridden:
		return "" // not the workload's own credentials
	case c.UserNS == trace.UserNSHost, c.UserNS == trace.UserNSOther:
		return "" // nothing the container is granted reaches there
	case !mattered(c):
		return ""
	}
	if askedNext(c, granted) {
		return ""
	}
	return fmt.Sprintf("%s was granted to %s in %s (%s) and is not any more",
		c.Name, c.First.Comm, callOf(c), orUnknown(c.Site))
}

// askedNext is true where the kernel, refused c, would ask for one of granted.
func askedNext(c policies.Capability, granted []string) bool {
	for _, g := range Groups() {
		at := slices.Index(g.AnyOf, c.Name)
		if at < 0 || !g.asks(c) {
			continue
		}
		for _, later := range g.AnyOf[at+1:] {
			if slices.Contains(granted, later) {
				return true
			}
		}
	}
	return false
}

// mattered is true where the kernel's answer could have changed the outcome.
func mattered(c policies.Capability) bool {
	quiet := c.Audit == trace.AuditFalse
	for _, site := range CallSites() {
		if site.matches(c) {
			if site.Meaning == Advisory {
				return false
			}
			quiet = quiet && site.Meaning != Decisive
			break
		}
	}
	return !quiet && (went(c) || outcome(c) == trace.OutcomeUnknown)
}

// accounted is true where a check or a port in o can be the reason for name.
func accounted(name string, s Synthesis, o policies.Observation) bool {
	for _, c := range o.Capabilities {
		if c.Name == name && own(c) && mattered(c) {
			return true
		}
	}
	first := firstPort
	if s.PortStart != nil {
		first = *s.PortStart
	}
	low := func(port int) bool { return port < first }
	return name == "NET_BIND_SERVICE" && slices.ContainsFunc(boundPorts(o), low)
}

// baselineAdd are the capabilities that the baseline level lets a container add
// (Pod Security Standards, Kubernetes 1.25 and later).
var baselineAdd = [...]string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// standardHolds looks at the level of s from the granted set up.
func standardHolds(s Synthesis, granted []string) []string {
	bind := func(name string) bool { return name == "NET_BIND_SERVICE" }
	beyond := slices.DeleteFunc(slices.Clone(granted), bind)
	if s.Standing.Level == Restricted && (len(beyond) > 0 || !slices.Equal(s.Drop, []string{all})) {
		return []string{"said to meet the restricted level, but grants " + strings.Join(beyond, ", ")}
	}
	beyond = slices.DeleteFunc(beyond, func(name string) bool {
		return slices.Contains(baselineAdd[:], name)
	})
	if s.Standing.Level != Privileged && len(beyond) > 0 {
		return []string{
			"said to meet the " + s.Standing.Level + " level, but grants " + strings.Join(beyond, ", "),
		}
	}
	return nil
}

// rootHolds looks for writes that a root file system said to be read-only would
// refuse. An experiment may be the reason where no recording looked.
func rootHolds(s Synthesis, o policies.Observation) []string {
	sealed := s.Security.ReadOnlyRootFilesystem != nil && *s.Security.ReadOnlyRootFilesystem
	if !sealed && len(s.Security.Tmpfs) == 0 {
		return nil
	}
	tried := s.Verified != nil && slices.ContainsFunc(s.Verified.Restrictions, func(r Restriction) bool {
		return r.Name == TriedReadOnly && r.Passed && slices.Equal(r.Tmpfs, s.Security.Tmpfs)
	})
	if tried && !o.FileEvidence.Recorded {
		return nil
	}
	var failed []string
	if e := o.FileEvidence; !tried && (!e.Recorded || e.Complete != trace.CompleteTrue) {
		failed = append(failed, "the root file system is said to be read-only, and writes to it may have been missed")
	}
	for _, f := range o.Files {
		if f.Mount != "/" || !f.Access.Writes() {
			continue
		}
		covered := slices.ContainsFunc(s.Security.Tmpfs, func(dir string) bool {
			return strings.HasPrefix(f.Path, strings.TrimSuffix(dir, "/")+"/")
		})
		if !covered {
			failed = append(failed, fmt.Sprintf("%s of %s by %s fails on a read-only root file system",
				f.Access, f.Path, f.First.Comm))
		}
	}
	return failed
}

func orUnknown(site string) string {
	if site == "" {
		return "call site unknown"
	}
	return site
}
