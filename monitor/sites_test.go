package monitor

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNearestSymbol(t *testing.T) {
	const symbols = `ffffffff81000100 T first
ffffffff81000200 t second.constprop.0
ffffffff81000280 d not_a_function
ffffffff81000300 t third
ffffffffa0000000 t of_a_module	[module]
`
	got := nearest(strings.NewReader(symbols), []uint64{
		0xffffffff81000180, 0xffffffff81000200, 0xffffffff810002f0, 0xffffffff81000350,
		0xffffffffa0000010,
	})
	want := []string{"first", "first", "second", "third", "of_a_module"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestSiteBehindHelpers(t *testing.T) {
	s := &sites{known: map[uint64]string{
		1: "bpf_trace_run5", 2: "cap_capable", 3: "ns_capable", 4: "inet_create",
		5: "ns_capable_noaudit", 6: "do_seccomp", 7: "ns_capable_setid", 8: "__sys_setuid",
	}}
	tests := []struct {
		frames   []uint64
		site     string
		advisory bool
	}{
		{[]uint64{1, 2, 3, 4, 0}, "inet_create", false},
		{[]uint64{1, 2, 5, 6}, "do_seccomp", true},
		{[]uint64{1, 2, 7, 8}, "__sys_setuid", false},
		{[]uint64{9, 2}, "", false},
	}
	for _, tt := range tests {
		site, advisory := s.of(tt.frames)
		if site != tt.site || advisory != tt.advisory {
			t.Errorf("%v: %q, advisory %t; want %q, %t", tt.frames, site, advisory, tt.site, tt.advisory)
		}
	}
}

func TestHiddenSymbols(t *testing.T) {
	tests := []struct {
		name, symbols string
		want          bool
	}{
		{"shown", "ffffffff81000000 T _text\n", false},
		{"hidden", "0000000000000000 A fixed_percpu_data\n0000000000000000 T _text\n", true},
		{"data of processors first", "0000000000000000 A fixed_percpu_data\n" +
			"0000000000001000 A cpu_debug_store\nffffffff81000000 T startup_64\n", false},
		{"nothing", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := hiddenIn(strings.NewReader(tt.symbols)); got != tt.want {
				t.Errorf("hidden %t, want %t", got, tt.want)
			}
		})
	}
}
