package monitor

import (
	"advisor/monitor/container"
	"advisor/trace"
)

// follows tells whether a namespace that began then began when the other was over.
func (s *space) follows(other *space) bool {
	return !s.late && s.time > 0 && other.ended > 0 && s.time >= other.ended
}

// restartable tells whether namespaces that follow each other are starts of c: a
// runtime that starts a container again gives it another one and the same id.
func (c *subject) restartable() bool {
	return c.rec.Runtime != container.Host && c.rec.Runtime != commandRuntime
}

// startsAgain tells whether s is another start of c, which had ended.
func (c *subject) startsAgain(s *space) bool {
	return s != c.main && s.follows(c.main) && c.restartable()
}

// spaceOver notes that s, which is of a container, is over.
func (r *recording) spaceOver(s *space) {
	switch c := s.subject; {
	case c == nil:
	case c.main == s:
		r.end(c)
	case c.main.follows(s) && c.restartable():
		r.endBefore(c, s)
	}
}

// endBefore writes an earlier start of c, of which was heard after the one it is
// in now. That keeps the last word.
func (r *recording) endBefore(c *subject, s *space) {
	if s.endTold || s.late {
		return
	}
	s.endTold = true
	rec := c.rec
	rec.Started, rec.PID, rec.Existed = r.clock.at(s.time), s.sight.PID, false
	r.emit(c, &rec)
	r.emit(c, exitOfSpace(r.clock, c.rec.ID, s))
	c.written = nil
	r.describe(c)
}

func exitOfSpace(clock clock, id string, s *space) *trace.Exit {
	exit := &trace.Exit{Time: clock.at(s.ended), Container: id}
	if s.code != nil {
		code := exitCode(*s.code)
		exit.Code = &code
	}
	return exit
}

// begin has c go on in s. What a runtime said of the start before is not said of
// this one: it is asked again.
func (r *recording) begin(c *subject, s *space) {
	c.overAt = r.clock.at(c.main.ended)
	c.main, c.ended, c.named = s, false, false
	c.rec.Started = r.clock.at(s.time)
	c.rec.PID = s.sight.PID
	c.rec.Existed = false
	s.refresh = true
}

// beganAgain looks, when c has ended, for a start of it that came before its end
// was known.
func (r *recording) beganAgain(c *subject) {
	if c.spaces < 2 {
		return
	}
	var next *space
	for _, s := range r.spaces {
		if s.subject == c && c.startsAgain(s) && (next == nil || s.time < next.time) {
			next = s
		}
	}
	if next == nil {
		return
	}
	r.begin(c, next)
	r.describe(c)
	if next.ended != 0 {
		r.end(c)
	}
}
