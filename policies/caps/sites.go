package caps

import (
	"slices"
	"strings"

	"advisor/policies"
	"advisor/trace"
)

// Meaning is what the kernel does with the answer at a call site.
type Meaning string

// Meanings of a call site.
const (
	// Advisory: the call goes on without the capability, with a heuristic or a
	// detail decided otherwise.
	Advisory Meaning = "advisory"
	// Decisive: the answer decides although the check is not audited.
	Decisive Meaning = "decisive"
	// Unsure: the kernel asks before it looks whether the capability is needed.
	Unsure Meaning = "unsure"
)

// CallSite is a place in the kernel that asks for capabilities in a way that
// the answer alone does not tell.
type CallSite struct {
	// Functions are the names of the function that asks, over kernel versions
	// and inlining, without the suffixes a compiler adds.
	Functions []string
	Names     []string // capabilities, empty for all
	// Syscalls are the calls in which a check of Names whose site is not known
	// is taken for this one.
	Syscalls []string
	// Quiet rows are for checks that are known not to be audited: the function
	// makes others as well.
	Quiet   bool
	Meaning Meaning
	Reason  string
	Source  string // file and function in the kernel
}

// Group is a place where one of several capabilities will do.
type Group struct {
	AnyOf     []string // in the order the kernel asks
	Functions []string // as in [CallSite]
	Syscalls  []string // calls in which a check whose site is not known is taken for this one
	Source    string
}

func siteOf(sites []CallSite, c policies.Capability) CallSite {
	for _, s := range sites {
		if s.matches(c) {
			return s
		}
	}
	return CallSite{}
}

func (s CallSite) matches(c policies.Capability) bool {
	if len(s.Names) > 0 && !slices.Contains(s.Names, c.Name) {
		return false
	}
	if s.Quiet && c.Audit != trace.AuditFalse {
		return false
	}
	return asks(s.Functions, s.Syscalls, c)
}

func (g Group) asks(c policies.Capability) bool { return asks(g.Functions, g.Syscalls, c) }

func asks(functions, syscalls []string, c policies.Capability) bool {
	if c.Site == "" || passesOn(c.Site) {
		return slices.Contains(syscalls, c.Syscall)
	}
	return slices.Contains(functions, function(c.Site))
}

// passesOn knows the kernel's helpers that only put the question for others,
// which say nothing of who asked.
func passesOn(site string) bool {
	switch function(site) {
	case "capable", "capable_wrt_inode_uidgid", "file_ns_capable", "ns_capable",
		"ns_capable_noaudit", "ns_capable_setid", "security_capable", "sk_ns_capable":
		return true
	}
	return false
}

// function strips what compilers (".isra.0", ".part.0", ".constprop.0", ".cold")
// and the system call wrappers ("__x64_sys_", "__do_sys_") add to a name.
func function(site string) string {
	name, _, _ := strings.Cut(site, ".")
	name, _, _ = strings.Cut(name, "+")
	for _, prefix := range []string{
		"__x64_", "__ia32_compat_", "__ia32_", "__arm64_compat_", "__arm64_", "__do_", "__se_",
	} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && strings.HasPrefix(rest, "sys_") {
			return rest
		}
	}
	return name
}
