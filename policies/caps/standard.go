package caps

import (
	"slices"
)

// Levels of the Pod Security Standards, the strictest first.
const (
	Restricted = "restricted"
	Baseline   = "baseline"
	Privileged = "privileged"
)

// baselineAdd are the capabilities that the baseline level lets a container
// add (kubernetes/pod-security-admission, check_capabilities_baseline).
var baselineAdd = [...]string{
	"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
	"NET_BIND_SERVICE", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}

// level is the strictest level that a container with the synthesized list and
// security context meets, and what keeps it from the next stricter one.
func level(s Synthesis) (string, []string) {
	var baseline, restricted []string
	for _, name := range s.Add {
		if !slices.Contains(baselineAdd[:], name) {
			baseline = append(baseline, "adds "+name)
		}
		if name != "NET_BIND_SERVICE" {
			restricted = append(restricted, "adds "+name)
		}
	}
	if len(baseline) > 0 {
		return Privileged, baseline
	}
	if s.Security.AllowPrivilegeEscalation == nil || *s.Security.AllowPrivilegeEscalation {
		restricted = append(restricted, "allows privilege escalation")
	}
	if s.Security.RunAsNonRoot == nil {
		restricted = append(restricted, "may run as root")
	}
	if s.Security.SeccompType == "" {
		restricted = append(restricted, "has no seccomp profile")
	}
	slices.Sort(restricted)
	if len(restricted) > 0 {
		return Baseline, restricted
	}
	return Restricted, nil
}
