package report

import (
	"advisor/policies"
	"advisor/policies/seccomp"
	"advisor/policies/seccomp/proof"
)

// ProveSeccomp has a finished profile held against what it was made from by
// those who did not make it. text is the profile as it will be printed.
func ProveSeccomp(s seccomp.Synthesis, o policies.Observation, opt seccomp.Options, text []byte) policies.Proof {
	claim := proof.Claim{Facts: o, Profile: text, Asked: proof.Asked{
		Add: opt.Add, Base: opt.BaseText, Action: opt.Action, Runtime: opt.Runtime,
		Arguments: opt.Arguments, NoNewPrivileges: opt.NoNewPrivileges, SpeltOut: opt.SpellOut,
		Capabilities: opt.Context.Capabilities, Engine: opt.Context.Engine, Kernel: opt.Context.Kernel,
	}}
	for _, r := range s.Reasons {
		claim.Reasons = append(claim.Reasons, proof.Reason{Arch: r.Arch, Name: r.Name, Because: string(r.Reason)})
	}
	return proof.Prove(claim)
}
