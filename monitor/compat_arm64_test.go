package monitor

import (
	"debug/elf"
	"encoding/binary"
)

// calls32 are calls of arm with first arguments, in the instructions of A32: the
// number is put into r7 and the argument into r0 by halves.
func calls32(list ...call32) []byte {
	const (
		movw, movt  = 0xe300_0000, 0xe340_0000
		r0, r7, svc = 0, 7, 0xef00_0000
		eabi5       = 0x0500_0000
	)
	half := func(op, register, value uint32) uint32 {
		return op | value>>12&0xf<<16 | register<<12 | value&0xfff
	}
	var code []byte
	for _, c := range list {
		for _, word := range []uint32{
			half(movw, r7, c.nr), half(movt, r7, c.nr>>16), half(movw, r0, c.first), half(movt, r0, c.first>>16), svc,
		} {
			code = binary.LittleEndian.AppendUint32(code, word)
		}
	}
	return program32(elf.EM_ARM, eabi5, string(code))
}

// numbers32 are of arch/arm/tools/syscall.tbl, and the private ones of
// arch/arm/include/uapi/asm/unistd.h.
func numbers32() map[string]uint32 {
	return map[string]uint32{
		"exit": 1, "getpid": 20, "getppid": 64, "unshare": 337, "set_tls": 0xf0005, "cacheflush": 0xf0002,
	}
}
