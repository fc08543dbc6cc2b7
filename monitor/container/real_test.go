package container_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"advisor/fixtures/bed"
	"advisor/monitor/container"
	"advisor/trace"
)

// sight is what a recorder would see of pid.
func sight(t *testing.T, pid int) container.Sight {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cgroup"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	return container.Sight{
		PID:     pid,
		Cgroup:  filepath.Base(strings.TrimPrefix(lines[len(lines)-1], "0::")),
		MountNS: inode(t, pid, "mnt"),
		NetNS:   uint32(inode(t, pid, "net")),
	}
}

func inode(t *testing.T, pid int, kind string) uint64 {
	t.Helper()
	var st syscall.Stat_t
	if err := syscall.Stat(filepath.Join("/proc", strconv.Itoa(pid), "ns", kind), &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// TestRealContainers names containers of Docker and of plain runc.
func TestRealContainers(t *testing.T) {
	b := bed.New(t)
	w := bed.Redis()
	for _, engine := range []bed.Engine{b.Docker(), b.Runc(), b.Crun(), b.Podman()} {
		t.Run(engine.String(), func(t *testing.T) {
			c, err := engine.Start(w, "who", bed.Limits{Capabilities: []string{"CHOWN", "SETUID"}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := c.Remove(); err != nil {
					t.Error(err)
				}
			}()
			s := sight(t, c.PID)
			got, complete := container.New(container.Options{}).Resolve(s)
			if !complete {
				t.Errorf("incomplete: %+v", got)
			}
			checkCommon(t, got, c, engine.String())
			if s.Cgroup == "/" {
				return // crun on a hybrid machine: nothing but its task leads to it
			}
			// The task first seen is often gone: the runtime still knows.
			s.PID = 0
			gone, ok := container.New(container.Options{}).Resolve(s)
			if gone.ID != got.ID || gone.Name != got.Name {
				t.Errorf("without the task: %+v %v, want %s %q", gone, ok, got.ID, got.Name)
			}
		})
	}
}

// TestPodmanLabels: podman keeps labels where only its server reads them.
func TestPodmanLabels(t *testing.T) {
	b := bed.New(t)
	podman := b.Podman()
	c, err := podman.Start(bed.Redis(), "labels", bed.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Remove(); err != nil {
			t.Error(err)
		}
	}()
	got, complete := container.New(container.Options{
		Sockets: []string{podman.Serve()}, Timeout: 10 * time.Second,
	}).Resolve(sight(t, c.PID))
	if !complete || got.Runtime != container.Podman || got.Name != c.Name ||
		got.Labels["bed.workload"] != c.Workload.Name {
		t.Errorf("complete %t: %+v", complete, got)
	}
}

func checkCommon(t *testing.T, got trace.Container, c *bed.Container, engine string) {
	t.Helper()
	if got.ID != c.ID || got.Name != c.Name || got.Runtime != engine || got.PID != c.PID {
		t.Errorf("got %s %q of %s, pid %d; want %s %q of %s, pid %d",
			got.ID, got.Name, got.Runtime, got.PID, c.ID, c.Name, engine, c.PID)
	}
	image := "bed/redis:1"
	if engine == container.Podman {
		image = "localhost/bed/services:1"
	}
	if got.Image != image {
		t.Errorf("image %q", got.Image)
	}
	if !slices.Equal(got.IPs, []string{c.IP}) {
		t.Errorf("addresses %v, want %s", got.IPs, c.IP)
	}
	if g := got.Granted; g == nil || !slices.Equal(g.Capabilities, []string{"CHOWN", "SETUID"}) ||
		g.User != "101:101" || g.Seccomp == "" {
		t.Errorf("granted %+v", g)
	}
	if engine == container.Runc && (got.Resolv == nil || got.Resolv.Search[0] != "bed.test") {
		t.Errorf("resolv.conf %+v", got.Resolv)
	}
	oci := engine
	if engine == container.Docker || engine == container.Podman {
		oci = container.Runc
	}
	if !strings.HasPrefix(got.OCI, oci+" 1.") {
		t.Errorf("low-level runtime %q", got.OCI)
	}
	if got.UnprivilegedPortStart == nil || time.Since(got.Started) > time.Hour {
		t.Errorf("port start %v, started %v", got.UnprivilegedPortStart, got.Started)
	}
}
