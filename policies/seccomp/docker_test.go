package seccomp

import (
	"os"
	"strings"
	"testing"

	"advisor/trace"
)

func TestDockerDefaultFollowsCapabilities(t *testing.T) {
	nr := func(name string) int {
		n, _ := trace.SyscallNumber(trace.ArchX8664, name)
		return n
	}
	plain := Context{Engine: "docker", Capabilities: EngineCapabilities("docker"), Runtime: Runc}
	admin := plain
	admin.Capabilities = append(admin.Capabilities, "SYS_ADMIN")
	for _, tt := range []struct {
		ctx  Context
		name string
		arg  uint64
		want string
	}{
		{plain, "clone3", 0, "ERRNO ENOSYS"}, {admin, "clone3", 0, "ALLOW"},
		{plain, "clone", 0x10000000, "ERRNO EPERM"}, {admin, "clone", 0x10000000, "ALLOW"},
		{plain, "clone", 0x50f00, "ALLOW"}, {plain, "chroot", 0, "ALLOW"},
		{plain, "mount", 0, "ERRNO EPERM"}, {plain, "socket", 40, "ERRNO EPERM"},
		{Context{Engine: "docker", Kernel: "4.7"}, "ptrace", 0, "ERRNO EPERM"},
		{Context{Engine: "docker", Kernel: "4.19.1-x"}, "ptrace", 0, "ALLOW"},
	} {
		pt := Point{Arch: trace.ArchX8664, Nr: nr(tt.name), Args: [6]uint64{tt.arg}}
		if got := Evaluate(DockerDefault(), tt.ctx, pt).String(); got != tt.want {
			t.Errorf("%s(%#x) under %v %v: %s, want %s", tt.name, tt.arg, tt.ctx, tt.ctx.Capabilities, got, tt.want)
		}
	}
}

// TestCapabilitiesAreWholeWords: engines compare the words as they stand, so
// that one without its prefix is none that a container has.
func TestCapabilitiesAreWholeWords(t *testing.T) {
	for _, tt := range []struct {
		word string
		has  bool
	}{{"CAP_SYS_ADMIN", true}, {"SYS_ADMIN", false}, {"cap_sys_admin", false}, {"CAP_SYSLOG", false}} {
		for _, given := range []string{"SYS_ADMIN", "CAP_SYS_ADMIN", "sys_admin"} {
			p := Profile{Default: Errno, Rules: []Rule{
				{Names: []string{"read"}, Action: Allow, Includes: Filter{Caps: []string{tt.word}}},
				{Names: []string{"write"}, Action: Allow, Excludes: Filter{Caps: []string{tt.word}}},
			}}
			ctx := Context{Engine: "docker", Capabilities: []string{"CHOWN", given}}
			in := Evaluate(p, ctx, Point{Arch: trace.ArchX8664, Nr: 0}).Action.Admits()
			out := !Evaluate(p, ctx, Point{Arch: trace.ArchX8664, Nr: 1}).Action.Admits()
			if in != tt.has || out != tt.has {
				t.Errorf("%s under %s: included %t, excluded %t", tt.word, given, in, out)
			}
			complained := strings.Contains(strings.Join(lines(Lint(p, ctx)), "\n"), "engines know only words such as")
			if complained != !wholeCap(tt.word) {
				t.Errorf("%s: complained %t", tt.word, complained)
			}
		}
	}
}

// podmanLike is Podman's default where it is installed; else Docker's turned
// into its way: ENOSYS by default, EPERM for what is known and refused.
func podmanLike() Profile {
	if text, err := os.ReadFile("/usr/share/containers/seccomp.json"); err == nil {
		if p, errs := Parse("podman", text); len(errs) == 0 {
			return p
		}
	}
	p := DockerDefault()
	p.DefaultErrno = errnoOf(eNOSYS)
	var names []string
	for _, name := range strings.Fields(privileged) {
		if !p.mentions(name) {
			names = append(names, name)
		}
	}
	p.Rules = append(p.Rules, Rule{Names: names, Action: Errno, Errno: errnoOf(ePERM)})
	return p
}

// BenchmarkCompare compares two defaults of about 400 calls and three
// architectures; ratio is its time to that of loading both.
func BenchmarkCompare(b *testing.B) {
	ctx := Context{Engine: "docker", Capabilities: EngineCapabilities("docker"), Runtime: Runc}
	one, other := DockerDefault(), podmanLike()
	before, err := Load(one, ctx)
	if err != nil {
		b.Fatal(err)
	}
	after, _ := Load(other, ctx)
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			Load(one, ctx)
			Load(other, ctx)
		}
	})
	b.Run("changes", func(b *testing.B) {
		for b.Loop() {
			if list, err := before.Changes(after, ctx); err != nil || len(list) == 0 {
				b.Fatal(len(list), err)
			}
		}
	})
}
