package cbpf

import "fmt"

// machine is the state of a run.
type machine struct {
	a, x uint32
	mem  [16]uint32
}

// Run gives the value that the program returns for one call. Programs from
// [Decode] always return.
func (p Program) Run(d Data) (uint32, error) {
	var m machine
	for at := 0; at < len(p); at++ {
		in := p[at]
		switch in.Code & 7 {
		case classRet:
			if in.Code == retA {
				return m.a, nil
			}
			return in.K, nil
		case classJmp:
			at += m.jump(in)
		case classLd:
			m.a = m.load(in, d)
		case classLdx:
			m.x = m.load(in, d)
		case classSt:
			m.mem[in.K&15] = m.a
		case classStx:
			m.mem[in.K&15] = m.x
		case classAlu:
			if err := m.alu(in); err != nil {
				return 0, fmt.Errorf("BPF instruction %d: %w", at, err)
			}
		case classMisc:
			m.move(in)
		}
	}
	return 0, fmt.Errorf("BPF program of %d instructions: it does not return", len(p))
}

func (m *machine) load(in Instruction, d Data) uint32 {
	switch in.Code {
	case LdAbs:
		return d[in.K/4%uint32(len(d))]
	case ldMem, ldxMem:
		return m.mem[in.K&15]
	case ldLen, ldxLen:
		return dataSize
	}
	return in.K
}

func (m *machine) move(in Instruction) {
	if in.Code == tax {
		m.x = m.a
		return
	}
	m.a = m.x
}

// jump is how many instructions are left out.
func (m *machine) jump(in Instruction) int {
	k := in.K
	if in.Code&srcX != 0 {
		k = m.x
	}
	var is bool
	switch in.Code &^ srcX {
	case Ja:
		return int(in.K)
	case Jeq:
		is = m.a == k
	case Jgt:
		is = m.a > k
	case Jge:
		is = m.a >= k
	case Jset:
		is = m.a&k != 0
	}
	if is {
		return int(in.Jt)
	}
	return int(in.Jf)
}

func (m *machine) alu(in Instruction) error {
	k := in.K
	if in.Code&srcX != 0 {
		k = m.x
	}
	switch in.Code & 0xf0 {
	case 0x00:
		m.a += k
	case 0x10:
		m.a -= k
	case 0x20:
		m.a *= k
	case 0x30, 0x90:
		return m.divide(in, k)
	case 0x40:
		m.a |= k
	case 0x50:
		m.a &= k
	case 0x60:
		m.a <<= k & 31
	case 0x70:
		m.a >>= k & 31
	case 0x80:
		m.a = -m.a
	case 0xa0:
		m.a ^= k
	default:
		return fmt.Errorf("code %#x", in.Code)
	}
	return nil
}

// divide returns 0 for a division by zero, as the kernel's translation to eBPF
// makes the filter do with X; constants are checked before.
func (m *machine) divide(in Instruction, k uint32) error {
	switch {
	case k == 0:
		m.a = 0
	case in.Code&0xf0 == 0x30:
		m.a /= k
	default:
		m.a %= k
	}
	return nil
}
