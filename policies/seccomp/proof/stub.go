package proof

import (
	"slices"

	"advisor/policies/seccomp/libseccomp"
	"advisor/trace"
)

// stub is what runc answers by itself before the filter is asked: ENOSYS for
// numbers above the highest that the profile names, for each architecture the
// profile lists (measured on 1.0.3 to 1.5.1). Zero answers nothing.
type stub struct{ last map[machine]int }

// resolver is a table of names.
type resolver func(m machine, name string) (nr int, ok bool)

// byTable is the table of the kernel's headers. libseccomp gives runc negative
// numbers for the calls of i386 that are also multiplexed, so that they are
// never the highest.
func byTable(m machine, name string) (int, bool) {
	if _, _, carried := multiplexed(m, name); carried {
		return 0, false
	}
	return trace.SyscallNumber(m.audit, name)
}

// byLibrary is libseccomp's own table.
func byLibrary(m machine, name string) (int, bool) {
	nr, ok := libseccomp.Number(m.library, name)
	return nr &^ bitX32, ok && nr > 0
}

func stubOf(d document, s setting, find resolver) stub {
	lenient := []uint32{retAllow, retLog, retTrace}
	if s.runtime != "runc" || slices.Contains(lenient, d.defaultReturn()&^0xffff) {
		return stub{}
	}
	out := stub{last: map[machine]int{}}
	for i, m := range on(s.host) {
		// Before 1.1.15 there was none where no architecture is listed.
		listed := slices.Contains(d.Architectures, m.token) ||
			i == 0 && len(d.Architectures) == 0 && (s.version == "" || older("1.1.15", s.version))
		if !listed {
			continue
		}
		for _, e := range d.Syscalls {
			for _, name := range e.names() {
				if nr, ok := find(m, name); ok && nr > out.last[m] {
					out.last[m] = nr
				}
			}
		}
	}
	return out
}

// answers tells whether a call gets ENOSYS from runc. Programs of x86_64 and
// x32 are told apart by their numbers: those of one that is not listed are left
// to the filter.
func (s stub) answers(m machine, nr int) bool {
	raw := m.base | uint32(nr)
	for other, last := range s.last {
		twin := other.audit == trace.ArchX8664 || other.audit == trace.ArchX32
		if other.value == m.value && (!twin || raw&bitX32 == other.base) {
			return raw > other.base+uint32(last)
		}
	}
	return false
}

// multiplexed says how i386 programs can also make a call: the number of the
// multiplexer and its first argument (linux/net.h, SYS_…; linux/ipc.h).
func multiplexed(m machine, name string) (carrier int, id uint64, ok bool) {
	if m.audit != trace.ArchI386 {
		return 0, 0, false
	}
	sockets := [...]string{
		1: "socket", 2: "bind", 3: "connect", 4: "listen", 5: "accept", 6: "getsockname",
		7: "getpeername", 8: "socketpair", 9: "send", 10: "recv", 11: "sendto", 12: "recvfrom",
		13: "shutdown", 14: "setsockopt", 15: "getsockopt", 16: "sendmsg", 17: "recvmsg",
		18: "accept4", 19: "recvmmsg", 20: "sendmmsg",
	}
	ipc := [...]string{
		1: "semop", 2: "semget", 3: "semctl", 4: "semtimedop", 11: "msgsnd", 12: "msgrcv",
		13: "msgget", 14: "msgctl", 21: "shmat", 22: "shmdt", 23: "shmget", 24: "shmctl",
	}
	if i := slices.Index(sockets[:], name); i > 0 {
		return 102, uint64(i), true
	}
	if i := slices.Index(ipc[:], name); i > 0 {
		return 117, uint64(i), true
	}
	return 0, 0, false
}
