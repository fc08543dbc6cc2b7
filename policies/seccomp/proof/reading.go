package proof

import (
	"slices"
	"strconv"
	"strings"

	"advisor/policies/seccomp/cbpf"
	"advisor/policies/seccomp/words"
	"advisor/trace"
)

// number is a call of one architecture.
type number struct {
	audit string
	nr    int
}

// reading is what the rules of a document say, without a compiler: the first
// entry without conditions decides, else those whose conditions hold.
type reading struct {
	inForce   []machine
	otherwise uint32
	always    map[number]uint32
	sometimes map[number][]alternative
	stub      stub
}

// alternative is a set of conditions that must all hold.
type alternative struct {
	tests   []test
	returns uint32
}

// readRules reads the document for the architectures it lists and the host's own.
func readRules(d document, s setting) *reading {
	return readFor(d, s, d.machines(s.host))
}

func readFor(d document, s setting, archs []machine) *reading {
	r := &reading{
		inForce: archs, otherwise: d.defaultReturn(),
		always: map[number]uint32{}, sometimes: map[number][]alternative{},
	}
	for _, e := range d.Syscalls {
		if e.returns() == r.otherwise {
			continue // runtimes drop it
		}
		for _, m := range archs {
			r.enter(m, e)
		}
	}
	r.stub = stubOf(d, s, byTable)
	return r
}

// machines are the architectures in the filter: libseccomp begins with the
// host's own and runtimes add those listed.
func (d document) machines(host string) []machine {
	all := on(host)
	list := all[:1:1]
	for _, m := range all[1:] {
		if slices.Contains(d.Architectures, m.token) {
			list = append(list, m)
		}
	}
	return list
}

// enter adds an entry's names as far as the architecture has them. On i386 a
// name of the socket and ipc families also means the multiplexer, whose first
// argument then says which call it is.
func (r *reading) enter(m machine, e entry) {
	for _, name := range e.names() {
		for _, tests := range split(m, e.Args) {
			nr, own := trace.SyscallNumber(m.audit, name)
			if own {
				r.put(number{m.audit, nr}, tests, e.returns())
			}
			carrier, id, ok := multiplexed(m, name)
			first := slices.ContainsFunc(tests, func(t test) bool { return t.Index == 0 })
			if !ok || !own && !first { // libseccomp then has no rule for it
				continue
			}
			carried := []test{{Index: 0, Op: "SCMP_CMP_EQ", Value: id}}
			for _, t := range tests {
				if t.Index != 0 {
					carried = append(carried, t)
				}
			}
			r.put(number{m.audit, carrier}, carried, e.returns())
		}
	}
}

func (r *reading) put(at number, tests []test, returns uint32) {
	if len(tests) > 0 {
		r.sometimes[at] = append(r.sometimes[at], alternative{tests, returns})
		return
	}
	if _, taken := r.always[at]; !taken {
		r.always[at] = returns
	}
}

// split parts the conditions as runtimes do: all of them must hold, unless one
// argument is tested twice, which makes each a rule of its own.
func split(m machine, args []test) [][]test {
	seen := map[uint]bool{}
	for _, t := range args {
		if seen[t.Index] {
			var list [][]test
			for _, t := range args {
				list = append(list, effective(m, []test{t}))
			}
			return list
		}
		seen[t.Index] = true
	}
	return [][]test{effective(m, args)}
}

// effective leaves out conditions that hold always: on no bits that the
// architecture's filters look at.
func effective(m machine, tests []test) []test {
	looked := ^uint64(0)
	if !m.wide {
		looked = 1<<32 - 1
	}
	return slices.DeleteFunc(slices.Clone(tests), func(t test) bool {
		return t.Op == "SCMP_CMP_MASKED_EQ" && t.Value&looked == 0
	})
}

// on is the answer to a set of calls of one number, or the test that parts it.
// Alternatives with different answers that both hold are no answer at all.
func (r *reading) on(c cell, cube *words.Cube) (ret uint32, part words.Test, done bool) {
	if r.stub.answers(c.machine, c.nr) {
		return refuseENOSYS, part, true
	}
	if !slices.Contains(r.inForce, c.machine) {
		return retKillThread, part, true
	}
	at := number{c.machine.audit, c.nr}
	if ret, ok := r.always[at]; ok && !c.beyond {
		return ret, part, true
	}
	ret, found := r.otherwise, false
	for _, a := range r.sometimes[at] {
		if c.beyond {
			break
		}
		holds, part, ok := all(a.tests, c.machine, cube)
		switch {
		case !ok:
			return 0, part, false
		case holds && found && ret != a.returns:
			return contended, part, true
		case holds:
			ret, found = a.returns, true
		}
	}
	return ret, part, true
}

// contended is no value that a filter returns.
const contended = 0xdead0000

// operators are the comparisons by their words, in libseccomp's order.
func operators() map[string]int {
	return map[string]int{
		"SCMP_CMP_NE": 1, "SCMP_CMP_LT": 2, "SCMP_CMP_LE": 3, "SCMP_CMP_EQ": 4,
		"SCMP_CMP_GE": 5, "SCMP_CMP_GT": 6, "SCMP_CMP_MASKED_EQ": 7,
	}
}

// all settles a conjunction for a set of calls.
func all(tests []test, m machine, cube *words.Cube) (holds bool, part words.Test, ok bool) {
	for _, t := range tests {
		if holds, part, ok = t.settle(m, cube); !ok || !holds {
			return holds, part, ok
		}
	}
	return true, part, true
}

// settle decides a comparison for a set of calls. Filters of 32-bit
// architectures look at the lower word only.
func (t test) settle(m machine, cube *words.Cube) (holds bool, part words.Test, ok bool) {
	low, high := cbpf.ArgLow(int(t.Index)), cbpf.ArgHigh(int(t.Index))
	ask := func(word int, op words.Op, mask, value uint32) (yes, settled bool) {
		part = words.Test{Word: word, Op: op, Mask: mask, Value: value}
		return cube.Decide(part)
	}
	mask, value := ^uint64(0), t.Value
	if t.Op == "SCMP_CMP_MASKED_EQ" {
		mask, value = t.Value, t.ValueTwo&t.Value // seccomp_rule_add(3): the masked datum
	}
	switch t.Op {
	case "SCMP_CMP_EQ", "SCMP_CMP_NE", "SCMP_CMP_MASKED_EQ":
		holds, ok = ask(low, words.Equal, uint32(mask), uint32(value))
		if ok && holds && m.wide {
			holds, ok = ask(high, words.Equal, uint32(mask>>32), uint32(value>>32))
		}
		return holds != (t.Op == "SCMP_CMP_NE"), part, ok
	}
	op := words.Greater
	if t.Op == "SCMP_CMP_GE" || t.Op == "SCMP_CMP_LT" {
		op = words.AtLeast
	}
	over := t.Op == "SCMP_CMP_GE" || t.Op == "SCMP_CMP_GT"
	if m.wide {
		greater, ok := ask(high, words.Greater, 0, uint32(value>>32))
		if !ok || greater {
			return greater == over, part, ok
		}
		same, ok := ask(high, words.Equal, ^uint32(0), uint32(value>>32))
		if !ok || !same {
			return !over, part, ok
		}
	}
	holds, ok = ask(low, op, 0, uint32(value))
	return holds == over, part, ok
}

// at is the answer to one call, by plain arithmetic on its arguments.
func (r *reading) at(m machine, nr int, args [6]uint64) uint32 {
	if r.stub.answers(m, nr) {
		return refuseENOSYS
	}
	if !slices.Contains(r.inForce, m) {
		return retKillThread
	}
	if ret, ok := r.always[number{m.audit, nr}]; ok {
		return ret
	}
	ret := r.otherwise
	for _, a := range r.sometimes[number{m.audit, nr}] {
		if !slices.ContainsFunc(a.tests, func(t test) bool { return !t.holds(m, args) }) {
			ret = a.returns
		}
	}
	return ret
}

func (t test) holds(m machine, args [6]uint64) bool {
	v, want, two := args[t.Index], t.Value, t.ValueTwo
	if !m.wide {
		v, want, two = uint64(uint32(v)), uint64(uint32(want)), uint64(uint32(two))
	}
	switch t.Op {
	case "SCMP_CMP_NE":
		return v != want
	case "SCMP_CMP_LT":
		return v < want
	case "SCMP_CMP_LE":
		return v <= want
	case "SCMP_CMP_EQ":
		return v == want
	case "SCMP_CMP_GE":
		return v >= want
	case "SCMP_CMP_GT":
		return v > want
	}
	return v&want == two&want
}

// resolve is the document as an engine hands it to the runtime: entries whose
// conditions do not hold are gone, archMap is expanded.
func (d document) resolve(a Asked, host string) document {
	own := on(host)[0]
	d.Architectures = slices.Clone(d.Architectures)
	for _, m := range d.ArchMap {
		if m.Architecture == own.token {
			d.Architectures = append(append(d.Architectures, m.Architecture), m.SubArchitectures...)
		}
	}
	d.Syscalls = slices.DeleteFunc(slices.Clone(d.Syscalls), func(e entry) bool {
		in, ex := e.Includes, e.Excludes
		return slices.ContainsFunc(in.Caps, func(c string) bool { return !a.has(c) }) ||
			slices.ContainsFunc(ex.Caps, a.has) ||
			len(in.Arches) > 0 && !slices.Contains(in.Arches, own.short) ||
			slices.Contains(ex.Arches, own.short) ||
			a.minKernel() && (in.MinKernel != "" && !a.since(in.MinKernel) ||
				ex.MinKernel != "" && a.since(ex.MinKernel))
	})
	return d
}

func (a Asked) has(capability string) bool {
	short, whole := strings.CutPrefix(capability, "CAP_") // engines know no other word
	return whole && short == strings.ToUpper(short) && slices.ContainsFunc(a.Capabilities, func(have string) bool {
		have = strings.TrimPrefix(strings.ToUpper(have), "CAP_")
		return have == short || have == "ALL"
	})
}

// minKernel tells whether the engine has that condition: Podman and CRI-O do not.
func (a Asked) minKernel() bool { return a.Engine != "podman" && a.Engine != "cri-o" }

// since tells whether the kernel is of that version or newer.
func (a Asked) since(version string) bool { return a.Kernel == "" || older(version, a.Kernel) }

// older tells whether a is no newer than b, number by number.
func older(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i, part := range x {
		n, _ := strconv.Atoi(digits(part))
		k := 0
		if i < len(y) {
			k, _ = strconv.Atoi(digits(y[i]))
		}
		if n != k {
			return n < k
		}
	}
	return true
}

func digits(s string) string {
	for i, c := range s {
		if c < '0' || c > '9' {
			return s[:i]
		}
	}
	return s
}
