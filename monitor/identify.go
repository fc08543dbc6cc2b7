package monitor

import (
	"fmt"
	"time"

	"advisor/monitor/container"
	"advisor/trace"
)

// Questions to runtimes: how many at a time, and how long one keeps trying.
const (
	askAtOnce   = 4
	firstAgain  = 50 * time.Millisecond
	longestWait = 5 * time.Second
	afterEnd    = 2 * time.Second
)

// identifier asks who a namespace belongs to, off the recorder's own path: a
// runtime that hangs delays a name, and nothing else.
type identifier struct {
	resolver *container.Resolver
	slots    chan struct{}
	answers  chan answer
	open     int
}

type answer struct {
	space *space
	rec   trace.Container
	named bool
}

func newIdentifier(r *container.Resolver) *identifier {
	return &identifier{
		resolver: r, slots: make(chan struct{}, askAtOnce), answers: make(chan answer, 1<<10),
	}
}

// identify asks for the container of s.
func (r *recording) identify(s *space) {
	if rec, ours := r.cmd.container(s); ours {
		r.adopt(s, rec, true)
		return
	}
	if s.asking {
		return
	}
	s.asking = true
	s.asked++
	s.nextAsk = time.Now().Add(min(firstAgain<<min(s.asked, 8), longestWait))
	r.ident.open++
	go r.ident.ask(s, s.sight)
}

func (i *identifier) ask(s *space, sight container.Sight) {
	i.slots <- struct{}{}
	rec, named := i.resolver.Resolve(sight)
	<-i.slots
	i.answers <- answer{s, rec, named}
}

// answers takes over what was found out meanwhile.
func (r *recording) answers() {
	for {
		select {
		case a := <-r.ident.answers:
			r.answered(a)
		default:
			return
		}
	}
}

func (r *recording) answered(a answer) {
	r.ident.open--
	a.space.asking = false
	if a.rec.ID == "" {
		a.rec.ID = fmt.Sprintf("mnt-%d", a.space.id)
	}
	if rec, ours := r.cmd.nested(a.space, a.rec); ours {
		a.rec, a.named = rec, true
	}
	if c := a.space.subject; c != nil {
		a.rec.ID = c.rec.ID // a late answer does not make it another container
	}
	over := a.space.ended != 0 && bootClock()-time.Duration(a.space.ended) > afterEnd
	r.adopt(a.space, a.rec, a.named || over)
}

// ask repeats the questions that have no full answer yet.
func (r *recording) ask(now time.Time) {
	for _, s := range r.spaces {
		if s.asking || now.Before(s.nextAsk) {
			continue
		}
		switch c := s.subject; {
		case c == nil && s.known():
			r.identify(s)
		case c != nil && c.main == s && (!c.named || s.refresh):
			s.refresh = false
			r.identify(s)
		}
	}
}

// known tells whether there is anything to ask with.
func (s *space) known() bool { return s.sight.MountNS != 0 }

// settleNames waits for the names that are still being asked for, and asks
// once more for those that are not known.
func (r *recording) settleNames(limit time.Duration) {
	for _, s := range r.spaces {
		if s.subject == nil && s.known() || s.subject != nil && !s.subject.named {
			r.identify(s)
		}
	}
	deadline := time.After(limit)
	for r.ident.open > 0 {
		select {
		case a := <-r.ident.answers:
			r.answered(a)
		case <-deadline:
			return
		}
	}
}
