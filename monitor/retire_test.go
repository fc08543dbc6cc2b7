package monitor

import (
	"testing"
	"time"
)

// TestReadBeforeRetired: a container that ended long ago keeps its slot, and with it
// its facts, until the kernel's maps were read from the beginning after that. On a
// slow machine they may have been read in part while it ran.
func TestReadBeforeRetired(t *testing.T) {
	now := bootClock()
	s := &space{id: 1, index: 1, ended: uint64(now - time.Minute)}
	r := &recording{spaces: map[uint64]*space{1: s}}
	for _, tt := range []struct {
		read        time.Duration // after the end
		over, whole bool
	}{
		{-time.Second, false, false}, {lastFacts, false, false}, {lastFacts + 1, true, false},
		{keepEnded, true, false}, {keepEnded + 1, true, true},
	} {
		r.readFrom = time.Duration(s.ended) + tt.read
		if got := r.over(1); got != tt.over {
			t.Errorf("read %v after the end: over is %t", tt.read, got)
		}
		if got := r.readAfter(s, keepEnded); got != tt.whole {
			t.Errorf("read %v after the end: whole is %t", tt.read, got)
		}
		if !tt.whole && (r.retire(s, false) != 0 || s.retired != inUse) {
			t.Errorf("read %v after the end: the slot is on its way", tt.read)
		}
	}
}
