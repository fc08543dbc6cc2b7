package seccomp

import (
	"testing"

	"advisor/trace"
)

// TestTreeIsAskedForAsRuncDoes: with more than 32 calls, counting those of rules
// that say what the default says.
func TestTreeIsAskedForAsRuncDoes(t *testing.T) {
	names := trace.Syscalls(trace.ArchX8664)
	for _, tt := range []struct {
		runtime string
		calls   int
		want    bool
	}{{Runc, 32, false}, {Runc, 33, true}, {Crun, 300, false}, {"", 300, false}} {
		p := Profile{Default: Errno, Rules: []Rule{
			{Names: names[:tt.calls-1], Action: Allow}, {Names: names[tt.calls : tt.calls+1], Action: Errno}}}
		ctx := Context{Runtime: tt.runtime}
		r, err := p.resolve(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.libseccompFilter(r, ctx).Tree; got != tt.want {
			t.Errorf("%q, %d calls: a tree %t", tt.runtime, tt.calls, got)
		}
	}
}
