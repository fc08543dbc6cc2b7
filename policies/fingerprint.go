package policies

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// Fingerprint is the identity of a finding across runs: 32 hexadecimal digits
// of its rule, workload and subject. Message, evidence and position leave it
// as it is, so that a baseline survives a reformatted manifest.
func Fingerprint(f Finding) string {
	w := f.Workload
	key := []string{f.Rule, w.Namespace, w.Kind, w.Name, w.Container, f.Subject}
	sum := sha256.Sum256([]byte(strings.Join(key, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// rank is the place of a class, worst first.
func (c Class) rank() int {
	classes := []Class{Missing, Invalid, Unprotected, Excess, Unknown}
	if i := slices.Index(classes, c); i >= 0 {
		return i
	}
	return len(classes)
}

// Compare orders findings: worst class first, then by workload, rule, subject,
// position and message.
func (f Finding) Compare(o Finding) int {
	return cmp.Or(
		cmp.Compare(f.Class.rank(), o.Class.rank()),
		f.Workload.Compare(o.Workload),
		strings.Compare(f.Rule, o.Rule),
		strings.Compare(f.Subject, o.Subject),
		f.Position.Compare(o.Position),
		strings.Compare(f.Message, o.Message),
	)
}

// Compare orders positions by file, line and column.
func (p Position) Compare(o Position) int {
	return cmp.Or(
		strings.Compare(p.File, o.File),
		cmp.Compare(p.Line, o.Line),
		cmp.Compare(p.Column, o.Column),
	)
}
