package monitor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// actCaps uses two capabilities, drops them, and is refused one.
func actCaps() error {
	runtime.LockOSThread()
	f, err := os.CreateTemp("", "caps")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := os.Chown(f.Name(), 1, 1); err != nil {
		return err
	}
	if err := unix.Chroot("/"); err != nil {
		return err
	}
	// The raw call is this thread's only, and keeps the file removable.
	if _, _, errno := unix.RawSyscall(unix.SYS_SETUID, 65534, 0, 0); errno != 0 {
		return errno
	}
	if err := unix.Chroot("/"); !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("chroot as nobody: %v", err)
	}
	return nil
}

// actNetwork is both ends of some traffic on the loopback device.
func actNetwork() error {
	for _, l := range []struct{ listen, dial string }{
		{"127.0.0.1:39301", "127.0.0.1:39301"},
		{"[::]:39302", "[::1]:39302"},
		{"", "[::ffff:127.0.0.1]:39302"},
	} {
		if err := stream(l.listen, l.dial); err != nil {
			return err
		}
	}
	if c, err := net.Dial("tcp", "127.0.0.1:39303"); err == nil {
		c.Close()
		return errors.New("something listens on 39303")
	}
	return errors.Join(datagrams(), justConnect(), sendTo())
}

func stream(listen, dial string) error {
	if listen == "" { // the one that listens on all addresses, once more
		listen = "[::]:39302"
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := net.Dial("tcp", dial)
	if err != nil {
		return err
	}
	defer c.Close()
	a, err := l.Accept()
	if err != nil {
		return err
	}
	return a.Close()
}

// datagrams has a server answer a client.
func datagrams() error {
	server, err := net.ListenPacket("udp", "127.0.0.1:39304")
	if err != nil {
		return err
	}
	defer server.Close()
	client, err := net.Dial("udp", "127.0.0.1:39304")
	if err != nil {
		return err
	}
	defer client.Close()
	if _, err := client.Write([]byte("ping")); err != nil {
		return err
	}
	buf := make([]byte, 16)
	n, from, err := server.ReadFrom(buf)
	if err != nil {
		return err
	}
	if _, err := server.WriteTo(buf[:n], from); err != nil {
		return err
	}
	_, err = client.Read(buf)
	return err
}

// justConnect is what resolvers do to sort addresses.
func justConnect() error {
	c, err := net.Dial("udp", "127.0.0.1:39305")
	if err != nil {
		return err
	}
	return c.Close()
}

func sendTo() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	to := &unix.SockaddrInet4{Port: 39306, Addr: [4]byte{127, 0, 0, 1}}
	return unix.Sendto(fd, []byte("hello"), 0, to)
}

// refuseKeyctl are the rules of a filter that refuses keyctl and add_key.
func refuseKeyctl() []unix.SockFilter { return refuse([]uintptr{unix.SYS_KEYCTL, unix.SYS_ADD_KEY}) }

// refuse are the rules of a filter that refuses calls with ENOTNAM.
func refuse(calls []uintptr) []unix.SockFilter {
	rules := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}} // the call's number
	for i, nr := range calls {
		rules = append(rules, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: uint32(nr), Jt: uint8(len(calls) - i)})
	}
	return append(rules,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOTNAM)})
}

// actFilter makes a call, refuses itself another, and makes both.
func actFilter() error {
	runtime.LockOSThread()
	_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := setFilter(refuseKeyctl()); err != nil {
		return err
	}
	_, _, _ = unix.RawSyscall(unix.SYS_GETPPID, 0, 0, 0)
	if _, _, errno := unix.RawSyscall(unix.SYS_KEYCTL, 0, 0, 0); errno != unix.ENOTNAM {
		return fmt.Errorf("keyctl: %v", errno)
	}
	return nil
}

// actUnanswered asks over UDP and then over TCP where nobody answers, in a network
// of its own.
func actUnanswered() error {
	for _, args := range [][]string{
		{"link", "set", "lo", "up"}, {"route", "add", "198.51.100.0/24", "dev", "lo"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %v: %w: %s", args, err, out)
		}
	}
	udp, err := net.Dial("udp", "198.51.100.9:53")
	if err != nil {
		return err
	}
	defer udp.Close()
	if _, err := udp.Write([]byte("hello")); err != nil {
		return err
	}
	if c, err := net.DialTimeout("tcp", "198.51.100.9:53", 500*time.Millisecond); err == nil {
		c.Close()
		return errors.New("somebody answered")
	}
	return nil
}

func setFilter(rules []unix.SockFilter) error {
	prog := unix.SockFprog{Len: uint16(len(rules)), Filter: &rules[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0,
		uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	return nil
}

// actHold has a connection to itself in a network of its own until its input
// ends.
func actHold() error {
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("raising lo: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:39310")
	if err != nil {
		return err
	}
	defer l.Close()
	c, err := net.Dial("tcp", "127.0.0.1:39310")
	if err != nil {
		return err
	}
	defer c.Close()
	u, err := net.ListenPacket("udp", "[::1]:5353")
	if err != nil {
		return err
	}
	defer u.Close()
	fmt.Println("ready")
	_, err = fmt.Scanln()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// actMemfd runs a program that is in no directory.
func actMemfd() error {
	fd, err := unix.MemfdCreate("nowhere", 0)
	if err != nil {
		return err
	}
	program, err := os.ReadFile("/usr/bin/nice") // getpriority is its own
	if err != nil {
		return err
	}
	if _, err := unix.Write(fd, program); err != nil {
		return err
	}
	return exec.Command(fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd)).Run()
}
