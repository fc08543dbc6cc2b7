//go:build libseccomp

package seccomp

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"unsafe"

	"advisor/policies/seccomp/cbpf"

	"golang.org/x/sys/unix"
)

// TestLoadedFilter starts containers with runc and crun and reads back the
// filter that the kernel has for them: it must do what Compile says, stub
// included, for every call.
func TestLoadedFilter(t *testing.T) {
	for _, name := range []string{Runc, Crun} {
		t.Run(name, func(t *testing.T) {
			version := runtimeVersion(t, name)
			ctx := Context{Runtime: name, RuntimeVersion: version}
			for label, p := range loadable(t, ctx) {
				t.Run(label, func(t *testing.T) { compareLoaded(t, p, ctx) })
			}
		})
	}
}

// loadable are profiles under which sleep runs.
func loadable(t *testing.T, ctx Context) map[string]Profile {
	t.Helper()
	docker, err := Resolve(DockerDefault(), Context{Capabilities: EngineCapabilities("docker")})
	if err != nil {
		t.Fatal(err)
	}
	unlisted := docker
	unlisted.Architectures = nil
	alone := docker
	alone.Architectures = []Arch{X8664}
	killing := docker
	killing.Default, killing.DefaultErrno = KillProcess, nil
	logging := synthesize(t, web(), Options{
		Action: "log", Runtime: ctx.Runtime + " " + ctx.RuntimeVersion,
	}).Profile
	return map[string]Profile{
		"docker": docker, "no architectures": unlisted, "kill": killing, "log": logging,
		"one architecture": alone,
	}
}

func compareLoaded(t *testing.T, p Profile, ctx Context) {
	t.Helper()
	want, err := Compile(p, ctx)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := cbpf.Decode(filterOf(t, p, ctx.Runtime))
	if err != nil {
		t.Fatal(err)
	}
	list, err := CompiledChanges(want, Binary{Program: loaded}, Context{})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range list {
		if i < 10 {
			t.Errorf("ours → loaded: %v", c)
		}
	}
}

// runtimeVersion skips where the runtime cannot be used.
func runtimeVersion(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command(name, "--version").Output()
	if err != nil || os.Geteuid() != 0 {
		missing(t, fmt.Sprintf("root and %s are needed (%v)", name, err))
	}
	fields := strings.Fields(string(out))
	if len(fields) < 3 {
		t.Fatalf("%s --version says %q", name, out)
	}
	return fields[2]
}

// filterOf starts a container under the profile and reads its filter.
func filterOf(t *testing.T, p Profile, runtime string) []byte {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{"rootfs/usr", "rootfs/proc", "rootfs/dev"} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, link := range []string{"bin", "lib", "lib64"} {
		if err := os.Symlink("usr/"+link, filepath.Join(dir, "rootfs", link)); err != nil {
			t.Fatal(err)
		}
	}
	writeBundle(t, dir, p)
	id := fmt.Sprintf("advisor-filter-%d", os.Getpid())
	state, pidFile := filepath.Join(dir, "state"), filepath.Join(dir, "pid")
	run := command(runtime, "--root", state, "run", "-d", "--bundle", dir, "--pid-file", pidFile, id)
	output, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	run.Stdout, run.Stderr = output, output // a file: the container keeps it open
	err = run.Run()
	defer command(runtime, "--root", state, "delete", "-f", id).Run()
	if err != nil {
		text, _ := os.ReadFile(output.Name())
		t.Fatalf("%s: %v\n%s", runtime, err, text)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return loadedFilter(t, pid)
}

// command runs a runtime. crun 1.8 refuses hosts with controllers on a cgroup2
// mount beside cgroup v1: there it gets to see version 1 only.
func command(runtime string, args ...string) *exec.Cmd {
	const unified = "/sys/fs/cgroup/unified"
	if _, err := os.Stat(unified); err != nil || runtime != Crun {
		return exec.Command(runtime, args...)
	}
	script := "umount " + unified + ` && exec crun "$@"`
	return exec.Command("unshare", append([]string{"-m", "sh", "-c", script, "crun"}, args...)...)
}

func writeBundle(t *testing.T, dir string, p Profile) {
	t.Helper()
	profile, err := p.Render(OCI)
	if err != nil {
		t.Fatal(err)
	}
	type object = map[string]any
	config, err := json.Marshal(object{
		"ociVersion": "1.0.2",
		"process": object{
			"user": object{"uid": 0, "gid": 0}, "cwd": "/", "env": []string{"PATH=/bin"},
			"args": []string{"/bin/sleep", "60"},
		},
		"root": object{"path": "rootfs", "readonly": true},
		"mounts": []object{
			{"destination": "/proc", "type": "proc", "source": "proc"},
			{"destination": "/usr", "type": "bind", "source": "/usr", "options": []string{"rbind", "ro"}},
		},
		"linux": object{
			"namespaces": []object{{"type": "pid"}, {"type": "mount"}},
			"seccomp":    json.RawMessage(profile),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o644); err != nil {
		t.Fatal(err)
	}
}

// ptraceSeccompGetFilter is PTRACE_SECCOMP_GET_FILTER (ptrace(2)).
const ptraceSeccompGetFilter = 0x420c

// loadedFilter reads the newest filter of a process from the kernel.
func loadedFilter(t *testing.T, pid int) []byte {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.PtraceAttach(pid); err != nil {
		missing(t, "attaching to the container: "+err.Error())
	}
	defer unix.PtraceDetach(pid)
	if _, err := unix.Wait4(pid, nil, unix.WALL, nil); err != nil {
		t.Fatal(err)
	}
	get := func(into unsafe.Pointer) (int, unix.Errno) {
		n, _, errno := unix.Syscall6(unix.SYS_PTRACE, ptraceSeccompGetFilter,
			uintptr(pid), 0, uintptr(into), 0, 0)
		return int(n), errno
	}
	size, errno := get(nil)
	if errno != 0 || size == 0 {
		missing(t, "reading the filter back: "+errno.Error())
	}
	raw := make([]byte, 8*size)
	if _, errno := get(unsafe.Pointer(&raw[0])); errno != 0 {
		t.Fatal(errno)
	}
	return raw
}
