package caps

import (
	"fmt"
	"slices"
	"strings"

	"advisor/policies"
)

// Rules of the findings of this package.
const (
	RuleMissing     = "caps/missing"     // needed, and not granted
	RuleUnused      = "caps/unused"      // added, and never needed
	RuleIneffective = "caps/ineffective" // added, and no process can hold it
	RuleNotDropped  = "caps/not-dropped" // the engine's default list stays
	RulePrivileged  = "caps/privileged"  // everything granted
	RuleEscalation  = "caps/escalation"  // privileges can be gained, which nothing needs
	RuleRefused     = "caps/refused"     // the API server, the kubelet or the engine would refuse it
	RuleDenied      = "caps/denied"      // asked while recording, and refused
	RuleUncertain   = "caps/uncertain"   // unused as far as the recording can tell
)

// Check holds what is declared for a workload against what was observed of it.
// engine is the one that will run it, "" for the one that reads such manifests.
// Where o saw no container only what is wrong by itself is found.
func Check(d Declared, o policies.Observation, engine string) []policies.Finding {
	if d.Windows {
		return nil
	}
	c := checker{d: d, o: o}
	c.invalid()
	set, err := Evaluate(d, engine)
	if err != nil {
		c.add(policies.Invalid, RuleRefused, "capabilities", err.Error(), nil, c.badName(engine))
		return c.finish()
	}
	c.set = set
	c.unprotected()
	for _, name := range set.Ineffective {
		c.add(policies.Excess, RuleIneffective, name, ineffectiveReason(set), nil, d.placeOf(name))
	}
	if len(o.Containers) > 0 || len(o.Capabilities) > 0 {
		c.observed()
	}
	return c.finish()
}

// finish gives each finding its identity, and puts the worst first.
func (c *checker) finish() []policies.Finding {
	for i, f := range c.found {
		c.found[i].Fingerprint = policies.Fingerprint(f)
	}
	slices.SortFunc(c.found, policies.Finding.Compare)
	return c.found
}

// checker gathers the findings of one container.
type checker struct {
	d     Declared
	o     policies.Observation
	set   EffectiveSet
	found []policies.Finding
}

func (c *checker) add(class policies.Class, rule, subject, message string, evidence []string,
	at policies.Position) {
	w := c.o.Workload
	if w.Name == "" {
		w = c.d.Workload
	}
	c.found = append(c.found, policies.Finding{
		Class: class, Rule: rule, Workload: w, Subject: subject, Message: message,
		Evidence: evidence, Position: at,
	})
}

// invalid finds what the API server or the kubelet refuses. Sources: Kubernetes
// pkg/apis/core/validation ValidateSecurityContext; pkg/kubelet/kuberuntime
// verifyRunAsNonRoot.
func (c *checker) invalid() {
	d := c.d
	if d.Engine != "kubernetes" {
		return
	}
	if is(d.Privileged) && d.AllowPrivilegeEscalation != nil && !*d.AllowPrivilegeEscalation {
		c.add(policies.Invalid, RuleRefused, "allowPrivilegeEscalation",
			"false, while privileged is true: the API server refuses both together", nil,
			d.at("allowPrivilegeEscalation"))
	}
	added := slices.IndexFunc(d.Add, func(n Name) bool { return n.Text == "CAP_SYS_ADMIN" })
	if d.AllowPrivilegeEscalation != nil && !*d.AllowPrivilegeEscalation && added >= 0 {
		c.add(policies.Invalid, RuleRefused, "allowPrivilegeEscalation",
			"false, while CAP_SYS_ADMIN is added: the API server refuses both together", nil, d.Add[added].Position)
	}
	if is(d.RunAsNonRoot) && d.User != nil && *d.User == 0 {
		c.add(policies.Invalid, RuleRefused, "runAsNonRoot",
			"true, while runAsUser is 0: the kubelet does not start the container", nil, d.at("runAsUser"))
	}
}

// badName is the place of the first name that the engine refuses.
func (c *checker) badName(engine string) policies.Position {
	if engine == "" {
		engine = c.d.Engine
	}
	e, err := engineOf(engine)
	if err != nil {
		return c.d.Position
	}
	for _, n := range slices.Concat(c.d.Add, c.d.Drop) {
		if _, err := e.names([]string{n.Text}); err != nil {
			return n.Position
		}
	}
	return c.d.at("capabilities")
}

// unprotected finds what is left open, whatever was observed.
func (c *checker) unprotected() {
	switch {
	case c.set.Privileged:
		c.add(policies.Unprotected, RulePrivileged, "privileged",
			"the container holds every capability and sees the host's devices", nil, c.d.at("privileged"))
	case !c.d.dropsAll():
		c.add(policies.Unprotected, RuleNotDropped, all,
			fmt.Sprintf("ALL is not dropped, so %d capabilities are granted: %s", len(c.set.Bounding),
				strings.Join(c.set.Bounding, ", ")), nil, c.d.at("capabilities"))
	}
}

func ineffectiveReason(s EffectiveSet) string {
	if s.NoNewPrivileges {
		return "added, but the container is not root and may gain nothing: no process ever holds it"
	}
	return "added, but the container is not root: no process holds it"
}

// placeOf is where a capability is added, or where the list stands.
func (d Declared) placeOf(name string) policies.Position {
	for _, n := range d.Add {
		if bare(n.Text) == name {
			return n.Position
		}
	}
	return d.at("capabilities")
}

func bare(name string) string { return strings.TrimPrefix(strings.ToUpper(name), "CAP_") }

// observed compares with what the workload did.
func (c *checker) observed() {
	s, err := Synthesize(c.o, Options{})
	if err != nil {
		c.add(policies.Unknown, RuleUncertain, all, err.Error(), nil, c.d.at("capabilities"))
		return
	}
	c.missing(s)
	c.denied(s)
	c.root()
	if !c.set.Privileged {
		c.unused(s)
	}
	safe := s.Security.AllowPrivilegeEscalation
	if safe != nil && !*safe && !c.set.NoNewPrivileges && !c.set.Privileged {
		c.add(policies.Unprotected, RuleEscalation, "allowPrivilegeEscalation",
			"not false, and nothing observed needs to gain privileges", nil,
			c.d.at("allowPrivilegeEscalation"))
	}
}

func (c *checker) missing(s Synthesis) {
	for _, f := range s.Facts {
		if f.Class == Needed && !c.set.Has(f.Name) {
			c.lacks(f, f.Name)
		}
		if f.Class == Alternative && f.Allowed && !slices.ContainsFunc(f.AnyOf, c.set.Has) {
			c.lacks(f, strings.Join(f.AnyOf, " or "))
		}
	}
}

// lacks adds a finding, or its evidence to the one there is.
func (c *checker) lacks(f Fact, subject string) {
	for i := range c.found {
		if c.found[i].Rule == RuleMissing && c.found[i].Subject == subject {
			c.found[i].Evidence = append(c.found[i].Evidence, f.Evidence())
			return
		}
	}
	c.add(policies.Missing, RuleMissing, subject, "needed by "+orSomething(f.First.Comm)+" in "+
		callOf(f.Capability), []string{f.Evidence()}, c.d.at("capabilities"))
}

// Evidence is the fact in one line: call, outcome, site, process and reason.
func (f Fact) Evidence() string {
	line := callOf(f.Capability)
	if f.Site != "" {
		line += " (" + f.Site + ")"
	}
	return line + " by " + orSomething(printable(f.First.Comm)) + ": " + f.Reason
}

func orSomething(comm string) string {
	if comm == "" {
		return "a process"
	}
	return comm
}

// denied tells of what was refused while recording and would be again.
func (c *checker) denied(s Synthesis) {
	told := make(map[string]bool)
	for _, f := range s.Facts {
		if f.Class != Denied || c.set.Has(f.Name) || told[f.Name] {
			continue
		}
		told[f.Name] = true
		c.add(policies.Unknown, RuleDenied, f.Name, "asked and refused while recording; whether the "+
			"workload misses it cannot be told", []string{f.Evidence()}, c.d.at("capabilities"))
	}
}

// unused finds what is granted by name and was never needed. What the engine's
// defaults grant is told once, by unprotected.
func (c *checker) unused(s Synthesis) {
	for _, n := range c.d.Add {
		name := bare(n.Text)
		if name == all || !c.set.Has(name) || slices.Contains(s.Add, name) || c.standsIn(s, name) {
			continue
		}
		if why := c.unsure(name, s); why != "" {
			c.add(policies.Unknown, RuleUncertain, name, "granted and never seen needed, but "+why, nil,
				n.Position)
			continue
		}
		c.add(policies.Excess, RuleUnused, name, "granted, never needed", uses(s, name), n.Position)
	}
}

// standsIn is true where name would do for a fact for which the manifest grants
// none of those that the list has.
func (c *checker) standsIn(s Synthesis, name string) bool {
	chosen := func(other string) bool { return slices.Contains(s.Add, other) && c.set.Has(other) }
	return slices.ContainsFunc(s.Facts, func(f Fact) bool {
		return f.Class == Alternative && slices.Contains(f.AnyOf, name) &&
			!slices.ContainsFunc(f.AnyOf, chosen)
	})
}

// unsure says why the recording cannot tell that name is not needed.
func (c *checker) unsure(name string, s Synthesis) string {
	if len(probeCaveat(c.o)) > 0 {
		return probeCaveat(c.o)[0]
	}
	if name == "NET_BIND_SERVICE" {
		if notes := portCaveat(c.o, s, Options{}); len(notes) > 0 {
			return notes[0]
		}
	}
	for _, d := range c.o.Denied {
		if slices.Contains(guarded(d.Syscall), name) {
			return "seccomp refused " + d.Syscall + " before the kernel could ask for it"
		}
	}
	return ""
}

// uses are the other classes in which a capability was asked for.
func uses(s Synthesis, name string) []string {
	var lines []string
	for _, f := range s.Facts {
		if f.Name == name && f.Class != Runtime {
			lines = append(lines, f.Evidence())
		}
	}
	return lines
}
