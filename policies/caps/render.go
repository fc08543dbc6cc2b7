package caps

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"advisor/policies"

	"go.yaml.in/yaml/v3"
)

// ContainerYAML is the container's securityContext as a YAML document with that
// one key; each capability has its evidence as a comment.
func ContainerYAML(s Synthesis) ([]byte, error) {
	return encode(mapping(entryOf("securityContext", contextNode(s))), sealing(s))
}

// PodPatch is a strategic merge patch of the workload's own Kubernetes object
// that sets the container's securityContext. It fails for a workload that is
// none of Kubernetes.
func PodPatch(s Synthesis) ([]byte, error) {
	w := s.Workload
	path, version := podPath(w.Kind)
	if path == nil {
		return nil, fmt.Errorf("%s is not a Kubernetes workload: it has no object to patch", w)
	}
	container := w.Container
	if container == "" {
		container = w.Name
	}
	node := mapping(entryOf("containers", sequence(mapping(
		entryOf("name", scalar(container)), entryOf("securityContext", contextNode(s))))))
	for i := len(path) - 1; i >= 0; i-- {
		node = mapping(entryOf(path[i], node))
	}
	meta := mapping(entryOf("name", scalar(w.Name)))
	if w.Namespace != "" {
		meta = mapping(entryOf("name", scalar(w.Name)), entryOf("namespace", scalar(w.Namespace)))
	}
	head := mapping(entryOf("apiVersion", scalar(version)), entryOf("kind", scalar(w.Kind)),
		entryOf("metadata", meta))
	head.Content = append(head.Content, node.Content...)
	return encode(head, sealing(s))
}

// podPath leads to the pod's spec in an object of a workload's kind, and is
// nil for other kinds.
func podPath(kind string) (path []string, apiVersion string) {
	switch kind {
	case "Pod":
		return []string{"spec"}, "v1"
	case "ReplicationController":
		return []string{"spec", "template", "spec"}, "v1"
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		return []string{"spec", "template", "spec"}, "apps/v1"
	case "Job":
		return []string{"spec", "template", "spec"}, "batch/v1"
	case "CronJob":
		return []string{"spec", "jobTemplate", "spec", "template", "spec"}, "batch/v1"
	}
	return nil, ""
}

// RunFlags are the arguments of docker run and podman run that make s's list.
func RunFlags(s Synthesis) []string {
	var flags []string
	for _, name := range s.Drop {
		flags = append(flags, "--cap-drop="+name)
	}
	for _, name := range s.Add {
		flags = append(flags, "--cap-add="+name)
	}
	if p := s.Security.AllowPrivilegeEscalation; p != nil && !*p {
		flags = append(flags, "--security-opt=no-new-privileges")
	}
	if user := s.Security.user(); user != "" {
		flags = append(flags, "--user="+user)
	}
	if s.Security.sealed() {
		flags = append(flags, "--read-only")
		for _, dir := range s.Security.Tmpfs {
			flags = append(flags, "--tmpfs="+dir)
		}
	}
	return flags
}

// Compose is the part of a compose file for one service, with its name.
func Compose(s Synthesis) ([]byte, error) {
	service := []*yaml.Node{}
	if len(s.Drop) > 0 {
		service = append(service, entryOf("cap_drop", names(s, s.Drop))...)
	}
	if len(s.Add) > 0 {
		service = append(service, entryOf("cap_add", names(s, s.Add))...)
	}
	if p := s.Security.AllowPrivilegeEscalation; p != nil && !*p {
		service = append(service, entryOf("security_opt", sequence(scalar("no-new-privileges:true")))...)
	}
	if user := s.Security.user(); user != "" {
		quoted := scalar(user)
		quoted.Style = yaml.DoubleQuotedStyle
		service = append(service, entryOf("user", quoted)...)
	}
	if s.Security.sealed() {
		service = append(service, entryOf("read_only", boolean(true))...)
	}
	if len(s.Security.Tmpfs) > 0 {
		service = append(service, entryOf("tmpfs", scalars(s.Security.Tmpfs))...)
	}
	return encode(mapping(entryOf("services", mapping(entryOf(s.Workload.Name, mapping(service))))), "")
}

// Systemd is a drop-in for a unit that runs the workload without a container.
// The empty assignment first clears what the unit itself sets (systemd.exec(5)).
func Systemd(s Synthesis) []byte {
	var b bytes.Buffer
	b.WriteString("[Service]\nCapabilityBoundingSet=\n")
	if len(s.Add) > 0 {
		fmt.Fprintf(&b, "CapabilityBoundingSet=CAP_%s\n", strings.Join(s.Add, " CAP_"))
	}
	if p := s.Security.AllowPrivilegeEscalation; p != nil {
		fmt.Fprintf(&b, "NoNewPrivileges=%s\n", yesNo(!*p))
	}
	if u := s.Security.RunAsUser; u != nil {
		fmt.Fprintf(&b, "User=%d\n", *u)
		if len(s.Add) > 0 {
			fmt.Fprintf(&b, "AmbientCapabilities=CAP_%s\n", strings.Join(s.Add, " CAP_"))
		}
	}
	if g := s.Security.RunAsGroup; g != nil {
		fmt.Fprintf(&b, "Group=%d\n", *g)
	}
	return b.Bytes()
}

// sealed says that the root file system can be read-only, as it is or with a
// tmpfs at some directories.
func (s Security) sealed() bool { return is(s.ReadOnlyRootFilesystem) || len(s.Tmpfs) > 0 }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// user is uid or uid:gid as the engines' flags take it.
func (s Security) user() string {
	switch {
	case s.RunAsUser == nil:
		return ""
	case s.RunAsGroup == nil:
		return strconv.FormatInt(*s.RunAsUser, 10)
	}
	return fmt.Sprintf("%d:%d", *s.RunAsUser, *s.RunAsGroup)
}

// evidence is the strongest fact behind a capability, in a few words, and what
// an experiment says of it.
func evidence(s Synthesis, name string) string {
	text := inference(s, name)
	if t := s.Verified.trial(name); t != nil {
		if text != "" {
			text += "; "
		}
		text += "verified: " + t.Word()
	}
	return text
}

func inference(s Synthesis, name string) string {
	for _, class := range []Class{Needed, Alternative} {
		for _, f := range s.Facts {
			if f.Class == class && f.Name == name && f.Allowed {
				return callOf(f.Capability) + by(f.Capability)
			}
		}
	}
	return ""
}

func by(c policies.Capability) string {
	if c.First.Comm == "" {
		return ""
	}
	return " by " + printable(c.First.Comm)
}

// printable keeps a process's name, which its owner chose, from ending the
// comment that it stands in.
func printable(comm string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, comm)
}
