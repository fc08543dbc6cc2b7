package container

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"advisor/trace"
)

// proc reads the host's /proc. Its files are the kernel's own, so they may be
// read whole; names and arguments in them are a process's own claims.
type proc struct {
	dir string
	// boot is when the machine was booted, in seconds since 1970, by the clock as
	// it was when somebody first asked: a step of it later does not move a start.
	boot  func() int64
	masks *masks
}

func newProc(dir string) proc {
	return proc{dir: dir, masks: new(masks), boot: sync.OnceValue(func() int64 {
		data, _ := os.ReadFile(filepath.Join(dir, "stat"))
		return bootTime(data)
	})}
}

func (p proc) read(pid int, name string) []byte {
	data, err := os.ReadFile(filepath.Join(p.dir, strconv.Itoa(pid), name))
	if err != nil {
		return nil
	}
	return data
}

// alive tells whether the task of s is still there, and not another that got
// its number.
func (p proc) alive(s Sight) bool {
	if s.PID <= 0 {
		return false
	}
	data := p.read(s.PID, "cgroup")
	if data == nil {
		return false
	}
	if s.NetNS != 0 && p.namespace(s.PID, "net") != uint64(s.NetNS) {
		return false
	}
	if s.Cgroup == "" || s.Cgroup == "/" {
		return true
	}
	paths, controllers := parseProcCgroup(data)
	return slices.ContainsFunc(append(paths, controllers...), func(path string) bool {
		return filepath.Base(path) == s.Cgroup
	})
}

func (p proc) cgroups(pid int) (paths, controllers []string) {
	return parseProcCgroup(p.read(pid, "cgroup"))
}

// namespace is the inode of a namespace of pid, 0 where it cannot be seen.
func (p proc) namespace(pid int, kind string) uint64 {
	return inode(filepath.Join(p.dir, strconv.Itoa(pid), "ns", kind))
}

// own is the inode of the host's namespace: init's, or where that may not be
// looked at the recorder's.
func (p proc) own(kind string) uint64 {
	if ns := p.namespace(1, kind); ns != 0 {
		return ns
	}
	return p.namespace(os.Getpid(), kind)
}

func (p proc) sharesPIDs(pid int) bool {
	ns := p.namespace(pid, "pid")
	return ns != 0 && ns == p.own("pid")
}

func inode(path string) uint64 {
	var st syscall.Stat_t
	if err := syscall.Stat(path, &st); err != nil {
		return 0
	}
	return st.Ino
}

func (p proc) comm(pid int) string {
	return strings.TrimSuffix(string(p.read(pid, "comm")), "\n")
}

func (p proc) args(pid int) []string {
	data := bytes.TrimSuffix(p.read(pid, "cmdline"), []byte{0})
	if len(data) > 1<<16 {
		return nil
	}
	return strings.Split(string(data), "\x00")
}

// parent is the parent's pid, 0 at the top or where pid is gone.
func (p proc) parent(pid int) int {
	n, _ := strconv.Atoi(statField(p.read(pid, "stat"), 4))
	return n
}

// started is when pid was started, to the hundredth of a second.
func (p proc) started(pid int) time.Time {
	ticks, err := strconv.ParseInt(statField(p.read(pid, "stat"), 22), 10, 64)
	if err != nil {
		return time.Time{}
	}
	boot := p.boot()
	if boot == 0 {
		return time.Time{}
	}
	// USER_HZ is 100 on every architecture Go runs on, see time(7).
	return time.Unix(boot+ticks/100, ticks%100*int64(10*time.Millisecond)).UTC()
}

// statField returns the nth field of a /proc/PID/stat, counted from 1 as in
// proc(5). The second may hold blanks and brackets.
func statField(stat []byte, n int) string {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 || n < 3 {
		return ""
	}
	f := strings.Fields(string(stat[end+1:]))
	if len(f) <= n-3 {
		return ""
	}
	return f[n-3]
}

// bootTime takes the seconds since 1970 from a /proc/stat.
func bootTime(stat []byte) int64 {
	for line := range bytes.Lines(stat) {
		var sec int64
		if _, err := fmt.Sscanf(string(line), "btime %d", &sec); err == nil {
			return sec
		}
	}
	return 0
}

// granted is what the kernel has in force for pid; used where no runtime's
// own statement is found.
func (p proc) granted(pid int) *trace.Granted {
	return parseStatus(p.read(pid, "status"), p.masks.names)
}

func parseStatus(data []byte, names func(mask uint64) []string) *trace.Granted {
	g := &trace.Granted{}
	for line := range bytes.Lines(data) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "CapBnd":
			mask, err := strconv.ParseUint(value, 16, 64)
			g.CapabilitiesKnown = err == nil
			g.Capabilities = names(mask)
		case "NoNewPrivs":
			on := value == "1"
			g.NoNewPrivileges = &on
		case "Seccomp":
			if value == "0" {
				g.Seccomp = "unconfined"
			}
		}
	}
	if !g.CapabilitiesKnown {
		return nil
	}
	return g
}

// initOf is the container's first process: the highest ancestor in the mount namespace of pid.
func (p proc) initOf(pid int) int {
	ns := p.namespace(pid, "mnt")
	for range maxAncestors {
		up := p.parent(pid)
		if up == 0 || ns == 0 || p.namespace(up, "mnt") != ns {
			break
		}
		pid = up
	}
	return pid
}

// cwd is the working directory of pid as the kernel tells it.
func (p proc) cwd(pid int) string {
	dir, err := os.Readlink(filepath.Join(p.dir, strconv.Itoa(pid), "cwd"))
	if err != nil {
		return ""
	}
	return dir
}

// masks remembers the names of capability masks: containers have few different
// ones, and each of a thousand would keep its own list.
type masks struct {
	mu    sync.Mutex
	known map[uint64][]string
}

// maxMasks bounds how many are remembered: a container may make up any.
const maxMasks = 64

// names are those of the bits of mask. They are shared, and not to be changed.
func (m *masks) names(mask uint64) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	names, ok := m.known[mask]
	if ok {
		return names
	}
	names = capabilities(mask)
	if m.known == nil {
		m.known = make(map[uint64][]string)
	}
	if len(m.known) < maxMasks {
		m.known[mask] = names
	}
	return names
}

// capabilities names the bits of a capability mask.
func capabilities(mask uint64) []string {
	var names []string
	for nr := range 64 {
		if mask&(1<<nr) == 0 {
			continue
		}
		// Bits no table knows are those above the kernel's last capability.
		if name := trace.CapabilityName(nr); name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
