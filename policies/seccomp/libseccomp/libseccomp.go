// Package libseccomp has the C library libseccomp compile a filter as runc and
// crun do, and gives the program back. It is the referee of package seccomp,
// never the author: nothing is loaded into the kernel.
//
// The library is linked statically where the build tag libseccomp is set on
// Linux with cgo. Elsewhere [Linked] is false and [Compile] returns
// [ErrNotLinked]; everything else works without it.
package libseccomp

import "errors"

// ErrNotLinked says that this build has no libseccomp.
var ErrNotLinked = errors.New("libseccomp is not linked into this build (build tag libseccomp)")

// Filter is what a runtime hands to libseccomp. Actions are the kernel's
// SECCOMP_RET_… values with their data.
type Filter struct {
	Default uint32
	// Archs are libseccomp's tokens, SCMP_ARCH_… of seccomp.h. Exactly these
	// are in the filter.
	Archs []uint32
	Rules []Rule // in the order to add them
	Tree  bool   // look calls up in a binary tree, as runc asks for with many rules
}

// Rule is an action for one call under conditions that must all hold.
type Rule struct {
	Name   string
	Action uint32
	Args   []Comparison
}

// Comparison is struct scmp_arg_cmp.
type Comparison struct {
	Index uint
	Op    int // enum scmp_compare: NE, LT, LE, EQ, GE, GT, MASKED_EQ from 1 on
	A, B  uint64
}

// Compiled is what libseccomp made of a filter.
type Compiled struct {
	Program []byte   // array of struct sock_filter, in the byte order of the host
	Unknown []string // names that this libseccomp does not know: runtimes leave them out
}
