package monitor

import (
	"debug/elf"
	"encoding/binary"
	"slices"
	"testing"
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

// calls32 are calls of i386 with first arguments.
func calls32(list ...call32) []byte {
	const movEBX = "\xbb" // and four bytes
	var code string
	for _, c := range list {
		code += movEBX + string(binary.LittleEndian.AppendUint32(nil, c.first)) + mov(c.nr) + int80
	}
	return program32(elf.EM_386, 0, code)
}

// numbers32 are of asm/unistd_32.h.
func numbers32() map[string]uint32 {
	return map[string]uint32{"exit": 1, "getpid": 20, "getppid": 64, "unshare": 310}
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
