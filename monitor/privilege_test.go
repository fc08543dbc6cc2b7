package monitor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"advisor/fixtures/bed"
)

// documented are the capabilities that docs/security.md says recording needs.
func documented() []string {
	return []string{
		"bpf", "perfmon", "net_admin", "sys_ptrace", "sys_admin", "syslog", "dac_read_search",
	}
}

// withCapabilities runs the act with those capabilities and no others: as root,
// whose bounding set has no more, or as a user who was given them.
func withCapabilities(t *testing.T, names []string, root bool, act ...string) *exec.Cmd {
	t.Helper()
	bed.Require(t, "setpriv")
	set := "-all"
	for _, name := range names {
		set += ",+" + name
	}
	args := []string{"--bounding-set=" + set, "--inh-caps=" + set}
	if !root {
		args = append(args, "--ambient-caps="+set, "--reuid=65534", "--regid=65534", "--clear-groups")
	}
	cmd := exec.Command("setpriv", append(args, self(t, act...)...)...)
	cmd.Stderr = os.Stderr
	return cmd
}

// mask is a set as /proc shows it.
func mask(s *cap.Set) string {
	var bits uint64
	for v := range cap.MaxBits() {
		if on, err := s.GetFlag(cap.Permitted, v); err == nil && on {
			bits |= 1 << v
		}
	}
	return fmt.Sprintf("=%016x", bits)
}

// TestDrop gives up everything else in all threads, also what a program would get
// that is run afterwards.
func TestDrop(t *testing.T) {
	bed.Require(t)
	args := self(t, "drop")
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	want := strings.TrimPrefix(mask(documentedSet(t)), "=")
	threads := 0
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch value = strings.TrimSpace(value); {
		case key == "NoNewPrivs" && value != "1",
			key == "CapInh" && value != "0000000000000000",
			(key == "CapPrm" || key == "CapEff" || key == "CapBnd") && value != want:
			t.Errorf("%s %s, want %s", key, value, want)
		case key == "CapPrm":
			threads++
		}
	}
	// Those of this process, and the one of a program that it ran.
	if threads < 6 {
		t.Errorf("%d threads: too few to tell\n%s", threads, out)
	}
}

// actDrop has several threads, drops, and shows what each of them may still have,
// and what a program gets.
func actDrop() error {
	for range 4 {
		go func() {
			runtime.LockOSThread()
			select {}
		}()
	}
	files, err := awaitThreads(5)
	if err != nil {
		return err
	}
	if err := drop(Options{}); err != nil {
		return err
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Print(string(raw))
	}
	out, err := exec.Command("cat", "/proc/self/status").Output()
	fmt.Print(string(out))
	return err
}

func awaitThreads(n int) ([]string, error) {
	for range 200 {
		files, err := filepath.Glob("/proc/self/task/*/status")
		if err != nil || len(files) >= n {
			return files, err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, errors.New("no threads")
}

// documentedSet is what is documented as a set of permitted capabilities.
func documentedSet(t *testing.T) *cap.Set {
	t.Helper()
	set := cap.NewSet()
	for _, name := range documented() {
		v, err := cap.FromName("cap_" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := set.SetFlag(cap.Permitted, true, v); err != nil {
			t.Fatal(err)
		}
	}
	return set
}

// TestMissingPrivilege names what is missing, one at a time.
func TestMissingPrivilege(t *testing.T) {
	bed.Require(t, "setpriv")
	for _, name := range []string{"perfmon", "net_admin", "sys_ptrace", "bpf"} {
		// With CAP_SYS_ADMIN the first and the last would not be missed.
		var rest []string
		for _, have := range documented() {
			if have != name && have != "sys_admin" {
				rest = append(rest, have)
			}
		}
		cmd := withCapabilities(t, rest, true, "record", filepath.Join(t.TempDir(), "trace.log"), PinFolder, "0")
		cmd.Stderr = nil
		out, err := cmd.CombinedOutput()
		if want := "CAP_" + strings.ToUpper(name); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("without %s: %v, %s", name, err, out)
		}
	}
}

// TestPrivilegesAreDocumented holds the document against what is kept.
func TestPrivilegesAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range needs(Options{Rotate: 1, Command: []string{"x"}}) {
		if !strings.Contains(string(raw), "`"+capName(n.value)+"`") {
			t.Errorf("docs/security.md does not say what %s is for: %s", capName(n.value), n.what)
		}
	}
	var kept []string
	for _, n := range needs(Options{}) {
		if n.later {
			kept = append(kept, strings.TrimPrefix(n.value.String(), "cap_"))
		}
	}
	slices.Sort(kept)
	want := documented()
	slices.Sort(want)
	if !slices.Equal(kept, want) {
		t.Errorf("kept %v, documented %v", kept, want)
	}
}
