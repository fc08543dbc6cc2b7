package monitor

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/trace"
)

const loadedAt = 0x400000

// call32 is a call of a 32-bit program, with its first argument.
type call32 struct{ nr, first uint32 }

func program32(machine elf.Machine, flags uint32, code string) []byte {
	const size = 52 + 32
	h := elf.Header32{
		Ident: ident(elf.ELFCLASS32), Type: uint16(elf.ET_EXEC), Machine: uint16(machine),
		Version: 1, Flags: flags, Entry: loadedAt + size, Phoff: 52, Ehsize: 52, Phentsize: 32, Phnum: 1,
	}
	p := elf.Prog32{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: loadedAt, Paddr: loadedAt,
		Filesz: uint32(size + len(code)), Memsz: uint32(size + len(code)), Align: 0x1000,
	}
	return image(h, p, code)
}

func ident(class elf.Class) (id [elf.EI_NIDENT]byte) {
	copy(id[:], elf.ELFMAG)
	id[elf.EI_CLASS], id[elf.EI_DATA], id[elf.EI_VERSION] = byte(class), byte(elf.ELFDATA2LSB), 1
	return id
}

func image(parts ...any) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		if code, ok := part.(string); ok {
			b.WriteString(code)
			continue
		}
		_ = binary.Write(&b, binary.LittleEndian, part) // of fixed size: it cannot fail
	}
	return b.Bytes()
}

// abis are the calls of a program as "ABI/name".
func abis(t *testing.T, program []byte, o Options) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tiny")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	o.Command = []string{path}
	var all []string
	for _, c := range of[*trace.Syscall](runWith(t, o), "tiny") {
		if c.Phase == trace.PhaseRun {
			all = append(all, fmt.Sprintf("%s/%s", c.Arch, c.Name))
		}
	}
	slices.Sort(all)
	return all
}

func TestProgramOf32Bits(t *testing.T) {
	nr, abi := numbers32(), archName(archCompat)
	var want []string
	list := []call32{{nr["getpid"], 0}, {nr["getpid"], 0}}
	for name, number := range nr {
		if name != "unshare" && name != "exit" {
			list = append(list, call32{number, 0})
		}
		if name != "unshare" {
			want = append(want, abi+"/"+name)
		}
	}
	slices.Sort(want)
	program := calls32(append(list, call32{nr["exit"], 0})...)
	for _, strict := range []bool{false, true} {
		got := abis(t, program, Options{StrictCompat: strict, Counts: true})
		if !slices.Equal(got, want) {
			t.Errorf("calls %v, want %v; strict: %t", got, want, strict)
		}
	}
}

// TestRuntimeOf32Bits: a 32-bit program that was known to be the host's is not any
// more when it has left, although its unshare has another number.
func TestRuntimeOf32Bits(t *testing.T) {
	nr := numbers32()
	parent := call32{nr["getppid"], 0}
	path := filepath.Join(t.TempDir(), "tiny")
	must0(t, os.WriteFile(path, calls32(parent, parent, call32{nr["unshare"], unix.CLONE_NEWNS},
		parent, parent, call32{nr["exit"], 0}), 0o700))
	got := whileRuns(t, path)
	for _, rec := range got.records {
		if c, ok := rec.(*trace.Syscall); ok && c.Comm == "tiny" && c.Arch == archName(archCompat) && c.Name == "getppid" {
			return
		}
	}
	t.Error("nothing of what it did outside the host")
}
