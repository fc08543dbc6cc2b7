package monitor

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// actOften does things a known number of times each.
func actOften() error {
	runtime.LockOSThread()
	bad := ^uintptr(0)
	for _, call := range []struct{ nr, times, argument uintptr }{
		{unix.SYS_GETPPID, 5000, bad}, {unix.SYS_SETNS, 7, bad}, {unix.SYS_UNSHARE, 11, bad},
		{100000, 13, bad},
	} {
		for range call.times {
			_, _, _ = unix.RawSyscall(call.nr, call.argument, 0, 0)
		}
	}
	for range 300 {
		if err := unix.Chroot("/"); err != nil {
			return err
		}
	}
	for range 5 {
		if c, err := net.Dial("tcp", "127.0.0.1:39311"); err == nil {
			c.Close()
			return errors.New("something listens on 39311")
		}
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for range 9 {
		to := &unix.SockaddrInet4{Port: 39312, Addr: [4]byte{127, 0, 0, 1}}
		if err := unix.Sendto(fd, []byte("hello"), 0, to); err != nil {
			return err
		}
	}
	return nil
}

// actTsync has one thread give a filter to all. Another makes a call many times
// before, and once after.
func actTsync() error {
	runtime.LockOSThread()
	ask, answer := make(chan int), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		for times := range ask {
			for range times {
				_, _, _ = unix.RawSyscall(unix.SYS_GETSID, 0, 0, 0)
			}
			answer <- struct{}{}
		}
	}()
	ask <- 100
	<-answer
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	allow := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
	prog := unix.SockFprog{Len: uint16(len(allow)), Filter: &allow[0]}
	stuck, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 || stuck != 0 {
		return fmt.Errorf("a filter for all threads: thread %d, %w", stuck, errno)
	}
	ask <- 1
	<-answer
	return nil
}
