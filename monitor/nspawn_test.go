package monitor

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

// TestNspawn records a container of systemd-nspawn, which needs no service
// manager here, under the name of its machine.
func TestNspawn(t *testing.T) {
	bed.Require(t, "systemd-nspawn", "runc")
	root := filepath.Join(bundle(t, "true"), "rootfs")
	name := fmt.Sprintf("advisor-%d", os.Getpid())
	ctx, cancel := context.WithCancel(t.Context())
	got := run(t, ctx, Options{
		Selection: container.Selection{Containers: []string{name}},
		Ready: func(Status) {
			go func() {
				defer cancel()
				cmd := exec.Command("systemd-nspawn", "--quiet", "--register=no", "--keep-unit",
					"--directory", root, "--bind-ro=/usr", "--machine", name, "--console=pipe",
					"sh", "-c", "ls / >/dev/null; sleep 1; exit 7")
				if out, err := cmd.CombinedOutput(); cmd.ProcessState.ExitCode() != 7 {
					t.Errorf("systemd-nspawn: %v: %s", err, out)
				}
			}()
		},
	})
	containers := of[*trace.Container](got, name)
	if len(containers) == 0 || containers[0].Runtime != container.Nspawn {
		t.Fatalf("containers %+v, complete %s, %v", containers, got.Complete, got.Losses)
	}
	if calls := called(of[*trace.Syscall](got, name), trace.PhaseRun); len(calls) < 20 {
		t.Errorf("only %v", calls)
	}
}
