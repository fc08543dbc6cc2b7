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

	"advisor/trace"
)

// Programs of a few instructions, so that each call they make is known.
const (
	movEAX      = "\xb8" // and four bytes
	syscall64   = "\x0f\x05"
	int80       = "\xcd\x80"
	noArguments = "\x31\xff\x31\xdb" // the first argument of either ABI is 0
)

func mov(eax uint32) string {
	return movEAX + string(binary.LittleEndian.AppendUint32(nil, eax))
}

// native makes getpid twice: the second finds its number seen, and its task
// known. Then it makes a call with the same number as a 32-bit program would,
// where it is mkdir, and as an x32 program would.
func native() []byte {
	const getpid, exit, x32 = 39, 60, 0x40000000
	code := noArguments + mov(getpid) + syscall64 + mov(getpid) + syscall64 +
		mov(getpid) + int80 + mov(x32+getpid) + syscall64 + mov(exit) + syscall64
	return program64(code)
}

const loadedAt = 0x400000

func program64(code string) []byte {
	const size = 64 + 56
	h := elf.Header64{
		Ident: ident(elf.ELFCLASS64), Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64),
		Version: 1, Entry: loadedAt + size, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	p := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X), Vaddr: loadedAt, Paddr: loadedAt,
		Filesz: uint64(size + len(code)), Memsz: uint64(size + len(code)), Align: 0x1000,
	}
	return image(h, p, code)
}

func program32(code string) []byte {
	const size = 52 + 32
	h := elf.Header32{
		Ident: ident(elf.ELFCLASS32), Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_386),
		Version: 1, Entry: loadedAt + size, Phoff: 52, Ehsize: 52, Phentsize: 32, Phnum: 1,
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

func TestStrictCompat(t *testing.T) {
	got := abis(t, native(), Options{StrictCompat: true})
	want := []string{"i386/mkdir", "x32/getpid", "x86_64/exit", "x86_64/getpid"}
	if !slices.Equal(got, want) {
		t.Errorf("calls %v, want %v", got, want)
	}
	// What the flag is for: known for native calls, the task is not asked again.
	if got := abis(t, native(), Options{}); slices.Contains(got, "i386/mkdir") {
		t.Errorf("calls %v without the flag: it is not needed, or this test shows nothing", got)
	}
}

func TestProgramOf32Bits(t *testing.T) {
	const getpid, exit = 20, 1
	code := noArguments + mov(getpid) + int80 + mov(getpid) + int80 + mov(exit) + int80
	for _, strict := range []bool{false, true} {
		got := abis(t, program32(code), Options{StrictCompat: strict, Counts: true})
		if want := []string{"i386/exit", "i386/getpid"}; !slices.Equal(got, want) {
			t.Errorf("calls %v, want %v; strict: %t", got, want, strict)
		}
	}
}
