package report_test

// drift is one thing that goes wrong in the manifest or, with inProfile, in the
// seccomp profile, and how it has to be found.
type drift struct {
	name, old, new string
	inProfile      bool
	rule, subject  string // subject is a part of it
	at             string // part of the line that the finding stands at, empty for any
}

// drifts are planted one at a time. What replaces text on several lines keeps
// their number where the place matters.
func drifts() []drift {
	var all []drift
	all = append(all, capsDrifts()...)
	all = append(all, seccompDrifts()...)
	return append(all, netpolDrifts()...)
}

func capsDrifts() []drift {
	const add = "            add:\n            - SETUID\n            drop:\n            - ALL\n"
	return []drift{
		{name: "needed capability is not added", old: add, new: "            drop:\n            - ALL\n",
			rule: "caps/missing", subject: "SETUID", at: "capabilities"},
		{name: "another one is added in its place", old: "            - SETUID\n", new: "            - SETGID\n",
			rule: "caps/missing", subject: "SETUID", at: "capabilities"},
		{name: "and that one is unused", old: "            - SETUID\n", new: "            - SETGID\n",
			rule: "caps/unused", subject: "SETGID", at: "SETGID"},
		{name: "NET_RAW too", old: "            - SETUID\n", new: "            - SETUID\n            - NET_RAW\n",
			rule: "caps/unused", subject: "NET_RAW", at: "NET_RAW"},
		{name: "SYS_ADMIN too", old: "            - SETUID\n", new: "            - SETUID\n            - SYS_ADMIN\n",
			rule: "caps/unused", subject: "SYS_ADMIN", at: "SYS_ADMIN"},
		{name: "NET_ADMIN with its prefix", old: "            - SETUID\n",
			new: "            - SETUID\n            - CAP_NET_ADMIN\n", rule: "caps/refused", subject: "", at: "CAP_NET_ADMIN"},
		{name: "ALL is added", old: "            - SETUID\n", new: "            - ALL\n", rule: "caps/", subject: "", at: ""},
		{name: "nothing is dropped", old: add, new: "            add:\n            - SETUID\n",
			rule: "caps/not-dropped", subject: "ALL"},
		{name: "only one is dropped", old: "            drop:\n            - ALL\n", new: "            drop:\n            - MKNOD\n",
			rule: "caps/not-dropped", subject: "ALL"},
		{name: "a capability there is not", old: "            - SETUID\n",
			new: "            - SETUID\n            - FLY\n", rule: "caps/refused", subject: "", at: ""},
		{name: "privileged", old: "          allowPrivilegeEscalation: false\n          capabilities:\n            add:",
			new:  "          privileged: true\n          capabilities:\n            add:",
			rule: "caps/privileged", subject: "", at: "privileged"},
		{name: "privileged and no escalation", old: "          allowPrivilegeEscalation: false\n",
			new:  "          allowPrivilegeEscalation: false\n          privileged: true\n",
			rule: "caps/refused", subject: "", at: ""},
		{name: "a user that cannot hold it", old: "          allowPrivilegeEscalation: false\n",
			new:  "          allowPrivilegeEscalation: false\n          runAsUser: 101\n",
			rule: "caps/ineffective", subject: "SETUID", at: "SETUID"},
		{name: "which it needs", old: "          allowPrivilegeEscalation: false\n",
			new:  "          allowPrivilegeEscalation: false\n          runAsUser: 101\n",
			rule: "caps/missing", subject: "SETUID"},
		{name: "not root, but root", old: "          runAsUser: 1000\n", new: "          runAsUser: 0\n",
			rule: "caps/refused", subject: ""},
	}
}

func seccompDrifts() []drift {
	const localhost = "            type: Localhost\n            localhostProfile: profiles/web.json\n"
	named := func(name, old, new, rule, subject, at string) drift {
		return drift{name: name, old: old, new: new, inProfile: true, rule: rule, subject: subject, at: at}
	}
	return []drift{
		{name: "no profile", old: "          seccompProfile:\n" + localhost, new: "",
			rule: "seccomp/no-profile", subject: ""},
		{name: "unconfined", old: localhost, new: "            type: Unconfined\n",
			rule: "seccomp/no-profile", subject: "", at: "seccompProfile"},
		{name: "no profile for cart", old: "          seccompProfile:\n            type: RuntimeDefault\n", new: "",
			rule: "seccomp/no-profile", subject: ""},
		{name: "a profile there is not", old: "profiles/web.json", new: "profiles/wab.json",
			rule: "seccomp/unknown-profile", subject: "wab", at: "seccompProfile"},
		named("getrandom is missing", `"getrandom",`, "", "seccomp/missing-syscall", "getrandom", ""),
		named("accept is missing", `"accept",`, "", "seccomp/missing-syscall", "accept", ""),
		named("openat is missing", `"openat",`, "", "seccomp/missing-syscall", "openat", ""),
		named("execve is missing", `"execve",`, "", "seccomp/missing-syscall", "execve", ""),
		named("setuid is missing", `"setuid",`, "", "seccomp/missing-syscall", "setuid", ""),
		named("getrandom is misspelt", `"getrandom"`, `"getrandum"`, "seccomp/missing-syscall", "getrandom", ""),
		named("and nobody has a call of that name", `"getrandom"`, `"getrandum"`,
			"seccomp/unknown-syscall", "getrandum", "getrandum"),
		named("ptrace is allowed", `"getrandom",`, `"getrandom", "ptrace",`, "seccomp/excess-syscall", "ptrace", "ptrace"),
		named("mount is allowed", `"getrandom",`, `"getrandom", "mount",`, "seccomp/excess-syscall", "mount", "mount"),
		named("bpf is allowed", `"getrandom",`, `"getrandom", "bpf",`, "seccomp/excess-syscall", "bpf", "bpf"),
		named("i386 is allowed", `"SCMP_ARCH_X86_64"`, `"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"`,
			"seccomp/excess-architecture", "", ""),
		named("everything is allowed", `"defaultAction": "SCMP_ACT_ERRNO"`, `"defaultAction": "SCMP_ACT_ALLOW"`,
			"seccomp/", "", ""),
		named("an action there is not", `"action": "SCMP_ACT_ALLOW"`, `"action": "SCMP_ACT_ALOW"`, "seccomp/", "", ""),
		named("another architecture", `"SCMP_ARCH_X86_64"`, `"SCMP_ARCH_MOON"`, "seccomp/", "", ""),
	}
}

func netpolDrifts() []drift {
	return []drift{
		{name: "another port from outside", old: "port: 8080\n  egress", new: "port: 8081\n  egress",
			rule: "netpol/missing-flow", subject: "203.0.113.9"},
		{name: "and that one is unused", old: "port: 8080\n  egress", new: "port: 8081\n  egress",
			rule: "netpol/unused", subject: "8081"},
		{name: "another address", old: "203.0.113.9/32", new: "203.0.113.8/32",
			rule: "netpol/missing-flow", subject: "203.0.113.9"},
		{name: "another protocol", old: "protocol: TCP\n      port: 8080", new: "protocol: UDP\n      port: 8080",
			rule: "netpol/missing-flow", subject: "203.0.113.9"},
		{name: "another port to cart", old: "port: 7070 # to cart", new: "port: 7071 # to cart",
			rule: "netpol/missing-flow", subject: "cart", at: ""},
		{name: "another port from web", old: "port: 7070 # from web", new: "port: 7071 # from web",
			rule: "netpol/missing-flow", subject: ""},
		{name: "another peer to cart", old: "- podSelector:\n        matchLabels:\n          app: cart",
			new:  "- podSelector:\n        matchLabels:\n          app: mail",
			rule: "netpol/missing-flow", subject: "cart"},
		{name: "a peer that nobody is", old: "- podSelector:\n        matchLabels:\n          app: cart",
			new:  "- podSelector:\n        matchLabels:\n          app: mail",
			rule: "netpol/peer-selects-nothing", subject: ""},
		{name: "selects nothing", old: "  podSelector:\n    matchLabels:\n      app: web",
			new:  "  podSelector:\n    matchLabels:\n      app: wab",
			rule: "netpol/selects-nothing", subject: "", at: ""},
		{name: "so web is not isolated", old: "  podSelector:\n    matchLabels:\n      app: web",
			new:  "  podSelector:\n    matchLabels:\n      app: wab",
			rule: "netpol/not-isolated", subject: ""},
		{name: "no egress policy", old: "  - Egress\n  ingress:\n  - from:\n    - podSelector",
			new:  "  ingress:\n  - from:\n    - podSelector",
			rule: "netpol/not-isolated", subject: "egress"},
		{name: "an empty rule", old: "  egress:\n", new: "  egress:\n  - {}\n",
			rule: "netpol/allows-everything", subject: ""},
		{name: "one peer more", old: "        cidr: 203.0.113.9/32\n",
			new:  "        cidr: 203.0.113.9/32\n    - ipBlock:\n        cidr: 198.51.100.0/24\n",
			rule: "netpol/unused-peer", subject: "198.51.100.0/24"},
		{name: "one port more", old: "      port: 8080\n  egress", new: "      port: 8080\n    - port: 22\n  egress",
			rule: "netpol/unused-port", subject: "22"},
		{name: "one rule more", old: "  egress:\n", new: "  egress:\n  - ports:\n    - port: 25\n",
			rule: "netpol/unused-rule", subject: "25"},
		{name: "a policy of another namespace", old: "  name: web\n  namespace: shop\nspec:\n  podSelector",
			new:  "  name: web\n  namespace: mall\nspec:\n  podSelector",
			rule: "netpol/not-isolated", subject: ""},
	}
}
