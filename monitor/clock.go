package monitor

import (
	"time"

	"golang.org/x/sys/unix"

	"advisor/bpf"
)

// bootClock is the time since boot, in the clock the probes use.
func bootClock() time.Duration {
	var ts unix.Timespec
	// It cannot fail: the clock exists since 2.6.39.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return time.Duration(ts.Nano())
}

// clock turns times since boot into times of day. The distance between the two
// is taken once, so that a step of the clock does not put facts out of order.
type clock struct{ boot time.Time }

// newClock takes the distance now, or as a recorder took it whose recording is
// taken up: the same moment has one time of day in both their traces.
func newClock(s *state) clock {
	if booted := s.number(bpf.RecorderVarBootedAt); booted != 0 {
		return clock{boot: time.Unix(0, int64(booted)).UTC()}
	}
	c := clockNow()
	_ = s.write(bpf.RecorderVarBootedAt, uint64(c.boot.UnixNano())) // cannot fail: it is memory
	return c
}

func clockNow() clock { return clock{boot: time.Now().UTC().Round(0).Add(-bootClock())} }

// at is the time of day of a time since boot in ns, zero for 0.
func (c clock) at(ns uint64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return c.boot.Add(time.Duration(ns))
}

func (c clock) now() time.Time { return c.boot.Add(bootClock()) }
