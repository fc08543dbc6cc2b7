package monitor

import (
	"testing"
	"time"
)

// TestExpecting: what a filter refuses is watched for while a namespace is new,
// before anything tells of its filter.
func TestExpecting(t *testing.T) {
	now := uint64(bootClock())
	old := now - uint64(2*youngFor)
	for _, tt := range []struct {
		name string
		s    space
		want bool
	}{
		{"new", space{time: now}, true},
		{"old", space{time: old}, false},
		{"ended", space{time: now, ended: now}, false},
		{"there before", space{time: now, late: true}, false},
		{"nothing known", space{}, false},
	} {
		r := &recording{spaces: map[uint64]*space{1: &tt.s}}
		if got := r.expecting(); got != tt.want {
			t.Errorf("%s: %t after %v", tt.name, got, time.Duration(now-tt.s.time))
		}
	}
}
