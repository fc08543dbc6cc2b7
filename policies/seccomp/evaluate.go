package seccomp

import (
	"fmt"

	"advisor/policies"
	"advisor/trace"
)

// Point is one system call as a filter sees it.
type Point struct {
	Arch string    `json:"arch"` // audit architecture, as in traces
	Nr   int       `json:"nr"`   // in that architecture's table; x32 without its bit 30
	Args [6]uint64 `json:"args"`
}

// String names the call: "socket(…)" with its architecture.
func (p Point) String() string {
	name := trace.SyscallName(p.Arch, p.Nr)
	if name == "" {
		name = fmt.Sprint(p.Nr)
	}
	return p.Arch + "/" + name
}

// Why tells what decided a call.
type Why string

// What decides.
const (
	ByRule    Why = "rule"
	ByDefault Why = "default action"
	ByStub    Why = "runc's stub"        // above the highest number named
	ByArch    Why = "architecture"       // not one of the filter's
	ByRefusal Why = "profile not loaded" // the runtime would not start the container
)

// Verdict is what a filter does with a call, and why.
type Verdict struct {
	Outcome
	Why      Why               `json:"why"`
	Rule     int               `json:"rule"` // index into the profile's Rules, -1 where none decided
	Name     string            `json:"name,omitempty"`
	Position policies.Position `json:"position,omitzero"`
	Err      error             `json:"-"` // with ByRefusal
}

// Evaluate gives the verdict on one call. To ask for many, use [Load] once.
func Evaluate(p Profile, ctx Context, pt Point) Verdict {
	prog, err := Load(p, ctx)
	if err != nil {
		return Verdict{Why: ByRefusal, Rule: -1, Position: p.Position, Err: err}
	}
	v := prog.Evaluate(pt)
	v.Position = p.Place(v.Rule, v.Name)
	return v
}

// Evaluate gives the verdict on one call, without its position.
func (g *Program) Evaluate(pt Point) Verdict {
	a, ok := abiByAudit(pt.Arch)
	if !ok {
		return Verdict{Outcome: Outcome{Action: KillThread}, Why: ByArch, Rule: -1}
	}
	if g.stubbed(a.value, a.base|uint32(pt.Nr)) {
		return Verdict{Outcome: Outcome{Errno, eNOSYS}, Why: ByStub, Rule: -1}
	}
	if !g.has(a) {
		return Verdict{Outcome: Outcome{Action: KillThread}, Why: ByArch, Rule: -1}
	}
	for _, c := range g.calls[call{pt.Arch, pt.Nr}] {
		if c.holds(pt.Args, a) {
			return Verdict{Outcome: c.out, Why: ByRule, Rule: c.rule, Name: c.name}
		}
	}
	return Verdict{Outcome: g.otherwise, Why: ByDefault, Rule: -1}
}

func (g *Program) has(a abi) bool {
	for _, have := range g.archs {
		if have == a {
			return true
		}
	}
	return false
}

// holds tells whether all conditions of the clause hold. Filters of 32-bit
// architectures look at the lower word only.
func (c clause) holds(args [6]uint64, a abi) bool {
	for _, arg := range c.args {
		v := args[arg.Index]
		if !a.wide() {
			v = uint64(uint32(v))
		}
		if !arg.holds(v) {
			return false
		}
	}
	return true
}

// wide tells whether filters of the architecture compare 64 bits.
func (a abi) wide() bool { return a.audit == trace.ArchX8664 || a.audit == trace.ArchAarch64 }
