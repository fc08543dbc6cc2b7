//go:build libseccomp && (amd64 || arm64)

package seccomp

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"unsafe"

	"advisor/policies/seccomp/cbpf"
	"advisor/trace"

	"golang.org/x/sys/unix"
)

// TestKernelAgrees loads the compiled programs of random profiles, each into a
// thread of its own, and makes the calls that the rules are about: the kernel
// must answer what our machine says of the program, and where the evaluators
// agree, what our reading of the rules says.
func TestKernelAgrees(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	native := onHost(map[string]string{"amd64": trace.ArchX8664, "arm64": trace.ArchAarch64}[runtime.GOARCH])[0]
	asked := 0
	for range 150 {
		p := randomProfile(rng, kind{ops: ops[:], args: 3, dense: true, wide: rng.IntN(2) == 0})
		p.Default, p.DefaultErrno, p.Architectures = Allow, nil, []Arch{native.token}
		for i := range p.Rules {
			p.Rules[i].Action, p.Rules[i].Errno = Errno, errnoOf(uint(unix.ENOTBLK))
		}
		ctx := Context{Arch: native.audit}
		bin, err := Compile(p, ctx)
		if err != nil {
			continue // not asked
		}
		asked++
		calls := callsAbout(rng, native)
		answers, err := answersOf(bin.Program, calls)
		if err != nil {
			missing(t, "loading a filter: "+err.Error())
		}
		prog, err := Load(p, ctx)
		if err != nil {
			t.Fatal(err)
		}
		for i, pt := range calls {
			if got, err := bin.Evaluate(pt); err != nil || got != answers[i] {
				t.Fatalf("%x: the machine says %v (%v), the kernel %v\n%s", pt.Args, got, err, answers[i], written(p))
			}
			if v := prog.Evaluate(pt); v.Outcome != answers[i] && !suspect(t, p) {
				t.Fatalf("%x: the rules say %v, the kernel %v\n%s", pt.Args, v.Outcome, answers[i], written(p))
			}
		}
	}
	if asked < 100 {
		t.Errorf("only %d programs were loaded", asked)
	}
}

// callsAbout are calls of getppid, which has no arguments: the kernel ignores
// them, and a filter sees them all.
func callsAbout(rng *rand.Rand, native abi) []Point {
	nr, _ := trace.SyscallNumber(native.audit, "getppid")
	var list []Point
	for range 60 {
		pt := randomPoint(rng)
		pt.Arch, pt.Nr = native.audit, nr
		list = append(list, pt)
	}
	return list
}

// answersOf makes the calls in a thread under the filter, which ends with it.
func answersOf(program cbpf.Program, calls []Point) (answers []Outcome, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with its filter
		if err = confine(program); err != nil {
			return
		}
		for _, pt := range calls {
			a := pt.Args
			_, _, errno := unix.RawSyscall6(uintptr(pt.Nr), uintptr(a[0]), uintptr(a[1]), uintptr(a[2]),
				uintptr(a[3]), uintptr(a[4]), uintptr(a[5]))
			out := Outcome{Action: Allow}
			if errno != 0 {
				out = Outcome{Errno, uint(errno)}
			}
			answers = append(answers, out)
		}
	}()
	<-done
	return answers, err
}

// confine loads a filter into the calling thread.
func confine(program cbpf.Program) error {
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: uint16(in.Code), Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	fprog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0,
		uintptr(unsafe.Pointer(&fprog))); errno != 0 {
		return fmt.Errorf("seccomp: %w", errno)
	}
	return nil
}
