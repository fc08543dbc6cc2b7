package verify

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"advisor/monitor"
)

func TestMain(m *testing.M) {
	switch {
	case monitor.IsInit():
		os.Exit(monitor.Init())
	case IsLimit():
		os.Exit(Limit())
	}
	os.Exit(m.Run())
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("ADVISOR_REQUIRE_BPF") != "" {
		t.Fatal("ADVISOR_REQUIRE_BPF is set, but this is not root")
	}
	t.Skip("needs root")
}

// TestRunCommand finds out which capabilities a program needs that needs one.
func TestRunCommand(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	program := filepath.Join(dir, "needs-CHOWN")
	build := exec.Command("go", "build", "-o", program, "advisor/fixtures/caps/try")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	got, err := Run(context.Background(), Options{
		Capabilities: []string{"CHOWN", "NET_RAW"}, Command: []string{program},
		Within: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Verdicts) != 2 || !got.Verdicts[0].Necessary || got.Verdicts[1].Necessary {
		t.Errorf("verdicts %+v", got.Verdicts)
	}
	if diff := cmp.Diff([]string{"CHOWN"}, got.Least); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestLimits looks at what is left to a command, with and without the
// no_new_privs that change the order of things.
func TestLimits(t *testing.T) {
	needRoot(t)
	for quiet, word := range map[bool]string{false: "0", true: "1"} {
		_, err := Run(context.Background(), Options{
			Capabilities: []string{"CHOWN"}, NoNewPrivileges: quiet, Filter: allowAll(),
			Within:  time.Minute,
			Command: []string{"sh", "-c", "grep -E 'Cap|Sec' /proc/self/status; " + limited, "sh", word},
		})
		if err != nil {
			t.Errorf("no_new_privs %v: %v", quiet, err)
		}
	}
}

const limited = `
	grep -q '^CapEff:[[:space:]]*0*1$' /proc/self/status &&
	grep -q '^CapBnd:[[:space:]]*0*1$' /proc/self/status &&
	grep -q '^Seccomp:[[:space:]]*2$' /proc/self/status &&
	grep -q "^NoNewPrivs:[[:space:]]*$1\$" /proc/self/status`

// TestUser looks who a command is, with what groups, and that a user other
// than root holds nothing but the bounding set.
func TestUser(t *testing.T) {
	needRoot(t)
	_, err := Run(context.Background(), Options{
		Capabilities: []string{"CHOWN"}, NoNewPrivileges: true, Filter: allowAll(), User: "12:34,56,78",
		Within: time.Minute,
		Command: []string{"sh", "-c", `grep -E '^(Uid|Gid|Groups|Cap)' /proc/self/status
			test "$(id -u):$(id -g):$(id -G)" = "12:34:34 56 78" &&
			grep -q '^Uid:[[:space:]]*12[[:space:]]*12[[:space:]]*12' /proc/self/status &&
			grep -q '^CapBnd:[[:space:]]*0*1$' /proc/self/status &&
			grep -q '^CapPrm:[[:space:]]*0*$' /proc/self/status`},
	})
	if err != nil {
		t.Error(err)
	}
}

// allowAll is the filter "return SECCOMP_RET_ALLOW".
func allowAll() []byte { return []byte{0x06, 0, 0, 0, 0, 0, 0xff, 0x7f} }

// TestProbeEndsTheCommand runs something that does not end by itself.
func TestProbeEndsTheCommand(t *testing.T) {
	needRoot(t)
	file := filepath.Join(t.TempDir(), "there")
	got, err := Run(context.Background(), Options{
		Capabilities: []string{"KILL"}, Within: 20 * time.Second, Probe: "rm " + file,
		Command: []string{"sh", "-c", "touch " + file + "; exec sleep 600"},
	})
	if err != nil || len(got.Least) != 0 || got.Runs != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}
