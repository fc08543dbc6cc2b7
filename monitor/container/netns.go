package container

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// inside is what a network namespace says about itself.
type inside struct {
	addrs     []string
	portStart *int
}

// network adds addresses and the port sysctl from the container's network
// namespace. The host's own is no container's: its addresses are left out.
func (q *query) network() {
	if !q.live {
		return
	}
	ns := q.proc.namespace(q.sight.PID, "net")
	if ns == 0 {
		return
	}
	if ns == q.proc.own("net") {
		if q.c.Pod != nil {
			q.c.Pod.HostNetwork = true
		}
		q.c.IPs = nil
	}
	in, ok := visit(filepath.Join(q.proc.dir, strconv.Itoa(q.sight.PID), "ns/net"), ns)
	if !ok {
		return
	}
	if q.c.UnprivilegedPortStart == nil {
		q.c.UnprivilegedPortStart = in.portStart
	}
	if ns != q.proc.own("net") && len(q.c.IPs) == 0 {
		q.addIPs(in.addrs)
	}
}

// visit looks around in a network namespace. The thread that entered it ends
// with the goroutine, because it stays locked: nothing else ever runs there.
func visit(path string, ns uint64) (inside, bool) {
	done := make(chan *inside)
	go onOtherThread(func() { done <- lookAround(path, ns) })
	in := <-done
	if in == nil {
		return inside{}, false
	}
	return *in, true
}

// onOtherThread runs f locked to a thread that is not the process's first: that
// one cannot end, and /proc/self would show its namespace ever after.
func onOtherThread(f func()) {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // another thread: this one is taken
		f()
	}()
	<-done
	runtime.UnlockOSThread()
}

func lookAround(path string, ns uint64) *inside {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil || st.Ino != ns {
		return nil
	}
	if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil
	}
	return &inside{addrs: addresses(), portStart: portStart()}
}

// addresses lists those of all interfaces, without loopback and link-local.
func addresses() []string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []string
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if ok && n.IP.IsGlobalUnicast() {
			out = append(out, n.IP.String())
		}
	}
	return out
}

// portStart reads the sysctl of the thread's network namespace: /proc/sys/net
// shows the reader's own, so no path of the container is touched.
func portStart() *int {
	data, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		return nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil {
		return nil
	}
	return &n
}
