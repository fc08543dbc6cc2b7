// Package cbpf runs classic BPF programs as the kernel runs seccomp filters:
// on the struct seccomp_data of one call ([Program.Run]), or on a whole set of
// calls at once ([Program.Step]). It knows nothing of profiles.
//
// The instructions are those that the kernel accepts in a seccomp filter
// (kernel/seccomp.c, seccomp_check_filter). Words are little-endian, as on all
// architectures whose calls are known here.
package cbpf

import (
	"encoding/binary"
	"errors"
	"fmt"

	"advisor/policies/seccomp/words"
)

// Instruction is struct sock_filter.
type Instruction struct {
	Code   uint16
	Jt, Jf uint8
	K      uint32
}

// Program is a filter.
type Program []Instruction

// Parts of an instruction's code (include/uapi/linux/bpf_common.h, filter.h).
const (
	classLd   = 0x00
	classLdx  = 0x01
	classSt   = 0x02
	classStx  = 0x03
	classAlu  = 0x04
	classJmp  = 0x05
	classRet  = 0x06
	classMisc = 0x07

	LdAbs  = 0x20 // A = word at K
	ldImm  = 0x00
	ldMem  = 0x60
	ldLen  = 0x80
	ldxImm = 0x01
	ldxMem = 0x61
	ldxLen = 0x81

	Ja   = 0x05
	Jeq  = 0x15
	Jgt  = 0x25
	Jge  = 0x35
	Jset = 0x45
	srcX = 0x08

	aluAnd = 0x54
	RetK   = 0x06
	retA   = 0x16
	tax    = 0x07
	txa    = 0x87
)

// The words of struct seccomp_data. Args begin at word 4, lower half first.
const (
	WordNr   = 0
	WordArch = 1
	wordArgs = 4
	dataSize = 4 * words.Count
)

// ArgLow and ArgHigh are the words of an argument's halves.
func ArgLow(index int) int { return wordArgs + 2*index }

// ArgHigh is the word of an argument's upper half.
func ArgHigh(index int) int { return wordArgs + 2*index + 1 }

// Data is struct seccomp_data as words.
type Data [words.Count]uint32

// NewData lays out a call: nr as in seccomp_data, so x32 with its bit.
func NewData(nr, arch uint32, args [6]uint64) Data {
	d := Data{WordNr: nr, WordArch: arch}
	for i, a := range args {
		d[ArgLow(i)], d[ArgHigh(i)] = uint32(a), uint32(a>>32)
	}
	return d
}

// maxInstructions is the kernel's limit for one filter (BPF_MAXINSNS).
const maxInstructions = 4096

// Decode reads an array of struct sock_filter, as seccomp_export_bpf and
// PTRACE_SECCOMP_GET_FILTER give it, and checks it as the kernel does.
func Decode(raw []byte) (Program, error) {
	if len(raw)%8 != 0 || len(raw) == 0 {
		return nil, fmt.Errorf("BPF program of %d bytes: not a multiple of 8", len(raw))
	}
	var p Program
	for ; len(raw) > 0; raw = raw[8:] {
		p = append(p, Instruction{
			Code: binary.LittleEndian.Uint16(raw), Jt: raw[2], Jf: raw[3],
			K: binary.LittleEndian.Uint32(raw[4:]),
		})
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	return p, nil
}

// Encode is the program as an array of struct sock_filter, as [Decode] reads it.
func (p Program) Encode() []byte {
	raw := make([]byte, 0, 8*len(p))
	for _, in := range p {
		raw = binary.LittleEndian.AppendUint16(raw, in.Code)
		raw = append(raw, in.Jt, in.Jf)
		raw = binary.LittleEndian.AppendUint32(raw, in.K)
	}
	return raw
}

var errTooLong = fmt.Errorf("BPF program: more than %d instructions", maxInstructions)

// Check refuses programs that could leave their own end or their data.
func (p Program) Check() error {
	if len(p) > maxInstructions {
		return errTooLong
	}
	for at, in := range p {
		if err := p.checkOne(at, in); err != nil {
			return fmt.Errorf("BPF instruction %d: %w", at, err)
		}
	}
	if len(p) == 0 || p[len(p)-1].Code&7 != classRet {
		return errors.New("BPF program: the last instruction does not return")
	}
	return nil
}

func (p Program) checkOne(at int, in Instruction) error {
	switch in.Code & 7 {
	case classJmp:
		return p.checkJump(at, in)
	case classSt, classStx:
		return memory(in)
	case classLd, classLdx:
		return load(in)
	case classAlu:
		if op := in.Code & 0xf0; (op == 0x30 || op == 0x90) && in.Code&srcX == 0 && in.K == 0 {
			return errors.New("division by zero")
		}
	case classRet:
		if in.Code != RetK && in.Code != retA {
			return fmt.Errorf("code %#x", in.Code)
		}
	}
	return nil
}

func (p Program) checkJump(at int, in Instruction) error {
	far := uint64(at) + 1 + uint64(max(in.Jt, in.Jf))
	if in.Code == Ja {
		far = uint64(at) + 1 + uint64(in.K)
	}
	if far >= uint64(len(p)) {
		return errors.New("jump behind the end")
	}
	return nil
}

func memory(in Instruction) error {
	if in.K >= 16 {
		return fmt.Errorf("no memory cell %d", in.K)
	}
	return nil
}

func load(in Instruction) error {
	switch in.Code {
	case LdAbs:
		if in.K >= dataSize || in.K%4 != 0 {
			return fmt.Errorf("load from %d, outside struct seccomp_data", in.K)
		}
	case ldMem, ldxMem:
		return memory(in)
	case ldImm, ldLen, ldxImm, ldxLen:
	default:
		return fmt.Errorf("load %#x is not for seccomp", in.Code)
	}
	return nil
}
