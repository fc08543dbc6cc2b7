package report

import (
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
	"advisor/policies/seccomp"
)

// Rule is one thing that a comparison can find.
type Rule struct {
	ID    string // kind/what, as in findings
	Class policies.Class
	Short string // one clause
	Help  string // what it means for the workload, and what to do
}

// Rules are all rules, sorted by id.
func Rules() []Rule {
	rules := slices.Concat(rulesOfWorkloads(), rulesOfSeccomp(), rulesOfNetpol(), rulesOfCaps())
	slices.SortFunc(rules, func(a, b Rule) int { return strings.Compare(a.ID, b.ID) })
	return rules
}

// RuleOf is the rule of that id, and whether there is one.
func RuleOf(id string) (Rule, bool) {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

func rulesOfWorkloads() []Rule {
	return []Rule{
		{RuleUndeclared, policies.Unknown, "a workload that was observed is in no manifest",
			"Add its manifest, or leave it out with --workload."},
		{RuleUnobserved, policies.Unknown, "a workload that is declared is in no trace",
			"Record it: nothing can be said of what it needs."},
		{RuleUnreadable, policies.Invalid, "a manifest is neither YAML nor JSON",
			"Nothing of the document counts. The message says where it breaks off."},
		{RuleRefused, policies.Invalid, "the API server would refuse an object",
			"kubectl apply fails, or what it replaces stays in force. The message says which field."},
	}
}

func rulesOfSeccomp() []Rule {
	return []Rule{
		{seccomp.RuleMissing, policies.Missing, "a system call that was made is refused by the profile",
			"The workload will fail, perhaps in a rare path only. Allow the call, or find out why it is made."},
		{seccomp.RuleExcess, policies.Excess, "a system call is allowed that was never made",
			"Attack surface that nothing needs. Take it out, once the recording has seen enough."},
		{seccomp.RuleExcessArch, policies.Excess, "an architecture is allowed of which no program was seen",
			"Its calls double the attack surface. Take it out, once the recording has seen enough."},
		{seccomp.RuleOpen, policies.Excess, "what no rule names is allowed",
			"A list of what is forbidden falls behind each new kernel. List what is allowed."},
		{seccomp.RuleArguments, policies.Unknown, "the arguments decide, and were not recorded",
			"Record with advisor monitor --arguments."},
		{seccomp.RuleUnprotected, policies.Unprotected, "nothing restricts the system calls",
			"Set seccompProfile to RuntimeDefault, or to a profile made by advisor report seccomp."},
		{seccomp.RuleRefused, policies.Invalid, "the runtime would refuse the profile",
			"The container will not start. The message says what the runtime trips over."},
		{RuleUnknownProfile, policies.Unknown, "the profile that is named is not among the manifests",
			"Add the file, or the SeccompProfile object, to what -m reads."},
		{seccomp.RuleInvalid, policies.Invalid, "the profile cannot work",
			"The message says what a runtime refuses, or what never matches."},
		{seccomp.RuleUnknownName, policies.Unknown, "no known architecture has a call of that name",
			"It is misspelt, or newer than this advisor. Runtimes pass over it in silence."},
		{seccomp.RuleShadowed, policies.Invalid, "a rule never decides anything",
			"Another one comes before it for every call. Take it out, or mean something else."},
		{seccomp.RuleContested, policies.Unknown, "rules with different outcomes overlap",
			"Which one decides is libseccomp's choice. Write one rule for each case."},
		{seccomp.RuleWidth, policies.Excess, "a rule can be evaded through the upper half of an int",
			"The kernel looks at 32 bits, the filter at 64. Compare with SCMP_CMP_MASKED_EQ."},
		{seccomp.RuleMultiplexed, policies.Excess, "a rule can be evaded through socketcall or ipc",
			"32-bit programs reach the same calls through these. Forbid them, or the architecture."},
		{seccomp.RuleMissingArch, policies.Unknown, "programs of an architecture are killed",
			"Name it among the architectures, if there are to be such programs."},
		{seccomp.RuleCompiled, policies.Invalid, "libseccomp compiles the profile to something else",
			"Several rules contend for one call. Write the rule that decides on its own."},
		{seccomp.RuleNotCompiled, policies.Unknown, "libseccomp was not asked to compile the profile",
			"It may not return, in a runtime too. The message says which test of which argument to write otherwise."},
		{"seccomp/base-profile", policies.Unknown, "the profile rests on another one that is not here",
			"Add the base profile to what -m reads."},
	}
}

func rulesOfNetpol() []Rule {
	return []Rule{
		{"netpol/missing-flow", policies.Missing, "an observed connection is denied",
			"Enforcing the policies cuts it. Allow it, or find out why it is made."},
		{"netpol/selects-nothing", policies.Invalid, "a policy selects no workload of its namespace",
			"A label or the namespace is wrong: the policy protects nothing."},
		{"netpol/no-op", policies.Invalid, "a policy selects only pods in the host's network",
			"Network policies do not govern such pods."},
		{"netpol/cidr-spelling", policies.Invalid, "a CIDR that newer API servers refuse",
			"Write it in its canonical form."},
		{"netpol/not-isolated", policies.Unprotected, "no policy selects the workload",
			"Everything may connect to it, or it to everything. advisor report netpol makes a policy."},
		{"netpol/unused-rule", policies.Excess, "a rule allows what was never observed",
			"Take it out, once the recording has seen enough."},
		{"netpol/unused-peer", policies.Excess, "a peer of a rule was never seen",
			"Take it out, once the recording has seen enough."},
		{"netpol/unused-port", policies.Excess, "a port of a rule was never used",
			"Take it out, once the recording has seen enough."},
		{"netpol/wide-peer", policies.Excess, "a peer holds far more than was seen of it",
			"A range of addresses, a selector, or a rule without peers. The message says what would do."},
		{"netpol/wide-port", policies.Excess, "far more ports are allowed than were used",
			"A range of ports, a protocol without one, or a rule without ports. The message says what would do."},
		{"netpol/allows-everything", policies.Excess, "an empty rule allows everything",
			"Say whom to allow. An empty list of rules denies, an empty rule allows all."},
		{"netpol/redundant", policies.Excess, "removing the policy changes nothing",
			"Other policies allow the same already."},
		{"netpol/unknown-flow", policies.Unknown, "a fact is missing that decides on a connection",
			"The message says which: labels of a pod, ports of a Service, an address."},
		{"netpol/unresolved-peer", policies.Unknown, "who the peer was is not known",
			"Add the Services, pods and EndpointSlices to what -m reads: kubectl get … -o yaml."},
		{"netpol/by-address", policies.Unknown, "a connection hangs on an ipBlock matching a pod",
			"Not every network plugin matches pods by address. Select them by label."},
		{"netpol/peer-selects-nothing", policies.Unknown, "a peer that no known pod matches",
			"A label is wrong, or the manifests of that peer are not there."},
		{"netpol/other-policies", policies.Unknown, "there are policies of other kinds",
			"Policies of Cilium, Calico and cluster administrators are not taken into account."},
	}
}

func rulesOfCaps() []Rule {
	return []Rule{
		{"caps/missing", policies.Missing, "a capability that was needed is not granted",
			"The workload will fail. Add it, or change what needs it."},
		{"caps/unused", policies.Excess, "a capability is added and was never needed",
			"Take it out, once the recording has seen enough."},
		{"caps/ineffective", policies.Excess, "a capability is added that no process can hold",
			"A user other than root does not get added capabilities. Take it out."},
		{"caps/not-dropped", policies.Unprotected, "the engine's default capabilities stay",
			"Drop ALL, and add what advisor report caps lists."},
		{"caps/privileged", policies.Unprotected, "the container is privileged",
			"It holds every capability and every device. Grant what it needs instead."},
		{"caps/escalation", policies.Unprotected, "privileges can be gained that nothing needs",
			"Set allowPrivilegeEscalation to false."},
		{"caps/refused", policies.Invalid, "the API server, the kubelet or the engine would refuse it",
			"The message says what and why."},
		{caps.RuleReadOnly, policies.Missing, "the root file system is read-only, and the workload writes to it",
			"The workload will fail. Mount an emptyDir or a volume where it writes, or leave the root writable."},
		{caps.RuleWritable, policies.Unprotected, "the root file system can be written to, and nothing does",
			"Set readOnlyRootFilesystem to true, --read-only, or read_only."},
		{RulePodSecurity, policies.Invalid, "the namespace demands a Pod Security level that the pod does not meet",
			"No pod of it is let in. The evidence says what is in the way; advisor report caps -m, what would do."},
		{"caps/denied", policies.Unknown, "a capability was asked for while recording, and refused",
			"Whether it is needed cannot be told from a refusal. Record once with it granted."},
		{"caps/uncertain", policies.Unknown, "unused as far as the recording can tell",
			"The message says what hides the need, such as a filter that refused the call before."},
	}
}

func sarifRules() []sarifRule {
	var list []sarifRule
	for _, r := range Rules() {
		list = append(list, sarifRule{
			ID: r.ID, ShortDescription: sarifMessage{r.Short}, FullDescription: sarifMessage{r.Short + "."},
			Help: sarifMessage{r.Help}, Default: sarifLevelOnly{sarifLevel(r.Class)},
			Properties: map[string]any{"security-severity": severity(r.Class), "tags": []string{"security"}},
		})
	}
	return list
}

// severity is the score by which code scanning sorts, on the scale of CVSS.
func severity(c policies.Class) string {
	switch c {
	case policies.Unprotected:
		return "7.0"
	case policies.Excess:
		return "4.0"
	case policies.Missing, policies.Invalid:
		return "5.0" // breaks the workload, which is no hole by itself
	}
	return "1.0"
}

func ruleIndex(id string) *int {
	i := slices.IndexFunc(Rules(), func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return nil
	}
	return &i
}
