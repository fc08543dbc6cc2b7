package seccomp

import "advisor/trace"

// multiplex is a call of i386 that carries many others, told apart by its
// first argument.
type multiplex struct {
	nr int    // of socketcall or ipc
	id uint64 // the first argument
}

// The numbers of i386's multiplexers.
const (
	i386Socketcall = 102
	i386IPC        = 117
)

// multiplexed says how a call of an architecture can also be made through a
// multiplexer; libseccomp means a rule for both ways. The ids are those of
// include/uapi/linux/net.h and ipc.h.
func multiplexed(arch, name string) (multiplex, bool) {
	if arch != trace.ArchI386 {
		return multiplex{}, false
	}
	if id := socketcallID(name); id != 0 {
		return multiplex{i386Socketcall, id}, true
	}
	if id := ipcID(name); id != 0 {
		return multiplex{i386IPC, id}, true
	}
	return multiplex{}, false
}

func socketcallID(name string) uint64 {
	for i, n := range [...]string{
		"socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername",
		"socketpair", "send", "recv", "sendto", "recvfrom", "shutdown", "setsockopt",
		"getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg",
	} {
		if n == name {
			return uint64(i + 1)
		}
	}
	return 0
}

func ipcID(name string) uint64 {
	switch name {
	case "semop":
		return 1
	case "semget":
		return 2
	case "semctl":
		return 3
	case "semtimedop":
		return 4
	case "msgsnd":
		return 11
	case "msgrcv":
		return 12
	case "msgget":
		return 13
	case "msgctl":
		return 14
	case "shmat":
		return 21
	case "shmdt":
		return 22
	case "shmget":
		return 23
	case "shmctl":
		return 24
	}
	return 0
}

// under turns the conditions of a rule into those on the multiplexer: the id
// takes the place of a condition on the first argument, the others now test
// what the multiplexer has there (libseccomp arch-x86.c, x86_rule_add).
func (m multiplex) under(args []Arg) []Arg {
	out := []Arg{{Index: 0, Op: Equal, Value: m.id}}
	for _, a := range args {
		if a.Index != 0 {
			out = append(out, a)
		}
	}
	return out
}
