package cbpf

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"advisor/policies/seccomp/words"

	"golang.org/x/net/bpf"
)

// randomProgram has the instructions that Step knows; every jump goes forward.
func randomProgram(rng *rand.Rand, size int) Program {
	p := make(Program, 0, size)
	constants := []uint32{0, 1, 2, 3, 7, 8, 0x40000000, ^uint32(0), rng.Uint32()}
	k := func() uint32 { return constants[rng.IntN(len(constants))] }
	for at := range size - 1 {
		left := size - at - 2
		switch rng.IntN(8) {
		case 0, 1:
			p = append(p, Instruction{Code: LdAbs, K: uint32(4 * rng.IntN(words.Count))})
		case 2:
			p = append(p, Instruction{Code: aluAnd, K: k()})
		case 3:
			p = append(p, Instruction{Code: RetK, K: uint32(at)})
		default:
			code := [...]uint16{Jeq, Jgt, Jge, Jset}[rng.IntN(4)]
			p = append(p, Instruction{
				Code: code, Jt: uint8(rng.IntN(left + 1)), Jf: uint8(rng.IntN(left + 1)), K: k()})
		}
	}
	return append(p, Instruction{Code: RetK, K: 0xffff})
}

func randomData(rng *rand.Rand) Data {
	var d Data
	for i := range d {
		d[i] = uint32(rng.IntN(10))
		if rng.IntN(4) == 0 {
			d[i] = rng.Uint32()
		}
	}
	return d
}

// TestRunAgainstLibrary compares with the BPF machine of golang.org/x/net. It
// loads words big-endian, so it gets each word turned.
func TestRunAgainstLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		p := randomProgram(rng, 2+rng.IntN(30))
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		vm := library(t, p)
		for range 10 {
			d := randomData(rng)
			packet := make([]byte, 4*len(d))
			for i, w := range d {
				binary.BigEndian.PutUint32(packet[4*i:], w)
			}
			want, err := vm.Run(packet)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.Run(d); err != nil || got != uint32(want) {
				t.Fatalf("%v on %v: %d %v, want %d", p, d, got, err, want)
			}
		}
	}
}

func library(t *testing.T, p Program) *bpf.VM {
	t.Helper()
	var list []bpf.Instruction
	for _, in := range p {
		raw := bpf.RawInstruction{Op: in.Code, Jt: in.Jt, Jf: in.Jf, K: in.K}
		list = append(list, raw.Disassemble())
	}
	vm, err := bpf.NewVM(list)
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

// TestStepAgainstRun splits the set of all calls until the program agrees on
// each part, and asks Run about the least member and random members of it.
func TestStepAgainstRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		p := randomProgram(rng, 2+rng.IntN(14))
		data := make([]Data, 20)
		for i := range data {
			data[i] = randomData(rng)
		}
		covered := explore(t, p, words.All(), data)
		if covered != len(data) {
			t.Fatalf("%v: the parts hold %d of %d calls", p, covered, len(data))
		}
	}
}

// explore returns how many of data are in the parts of c.
func explore(t *testing.T, p Program, c words.Cube, data []Data) int {
	t.Helper()
	ret, test, done, err := p.Step(&c)
	if err != nil {
		t.Fatal(err)
	}
	if !done {
		yes, no := c.Split(test)
		return explore(t, p, yes, data) + explore(t, p, no, data)
	}
	covered := 0
	for _, d := range append([]Data{c.Witness()}, data...) {
		if !inside(c, d) {
			continue
		}
		covered++
		if got, _ := p.Run(d); got != ret {
			t.Fatalf("%v on %v: step %d, run %d", p, d, ret, got)
		}
	}
	return covered - 1 // the witness
}

func inside(c words.Cube, d Data) bool {
	for _, test := range c.Tests() {
		if !test.Holds(d[test.Word]) {
			return false
		}
	}
	return true
}

// FuzzDecode checks that what Decode accepts returns for every call.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{6, 0, 0, 0, 1, 0, 0, 0}, uint64(7))
	f.Fuzz(func(t *testing.T, raw []byte, seed uint64) {
		p, err := Decode(raw)
		if err != nil {
			return
		}
		d := randomData(rand.New(rand.NewPCG(seed, 0)))
		if _, err := p.Run(d); err != nil {
			t.Skip(err) // an instruction that Check leaves to the run
		}
	})
}
