package monitor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"advisor/monitor/container"
	"advisor/trace"
)

// Questions to runtimes: how many at a time, and how long one keeps trying.
const (
	askAtOnce   = 8
	firstAgain  = 50 * time.Millisecond
	longestWait = 5 * time.Second
	afterEnd    = 5 * time.Second // a container that ended is asked about for so long
	settleIn    = 5 * time.Second // a namespace without exec may change its cgroup for so long
)

// At the end of a recording: how long an answer may take, and all of them.
const (
	lastAnswer  = 2 * time.Second
	lastAnswers = 15 * time.Second
)

// identifier asks who a namespace belongs to, off the recorder's own path: a
// runtime that hangs delays a name, and nothing else. Who was never asked about
// comes before who is asked about again: a process that leads to a name may be
// gone in a moment.
type identifier struct {
	resolver *container.Resolver
	answers  chan *answer
	open     int // questions without an answer; the recorder's own

	mu      sync.Mutex
	first   []question
	again   []question
	workers int
}

type question struct {
	space *space
	sight container.Sight
}

type answer struct {
	question
	rec   trace.Container
	named bool
}

func newIdentifier(r *container.Resolver) *identifier {
	return &identifier{resolver: r, answers: make(chan *answer, 1<<10)}
}

// listen has the resolver hear of containers before they are asked about, until
// the function it returns is called.
func (i *identifier) listen(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		i.resolver.Watch(ctx)
	}()
	return func() {
		cancel()
		<-done
	}
}

// put queues a question.
func (i *identifier) put(q question, repeated bool) {
	i.open++
	i.mu.Lock()
	defer i.mu.Unlock()
	if repeated {
		i.again = append(i.again, q)
	} else {
		i.first = append(i.first, q)
	}
	if i.workers < askAtOnce {
		i.workers++
		go i.work()
	}
}

// work answers questions until there are none.
func (i *identifier) work() {
	for q, ok := i.next(); ok; q, ok = i.next() {
		rec, named := i.resolver.Resolve(q.sight)
		i.answers <- &answer{q, rec, named}
	}
}

func (i *identifier) next() (question, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	list := &i.first
	if len(*list) == 0 {
		list = &i.again
	}
	if len(*list) == 0 {
		i.workers--
		return question{}, false
	}
	q := (*list)[0]
	if *list = (*list)[1:]; len(*list) == 0 {
		*list = nil
	}
	return q, true
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
	r.ident.put(question{s, s.sight}, s.asked > 1)
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

func (r *recording) answered(a *answer) {
	r.ident.open--
	s := a.space
	s.asking = false
	if a.sight.CgroupPath != s.sight.CgroupPath && s.subject == nil {
		s.nextAsk = time.Time{} // it was moved meanwhile
		return
	}
	if a.rec.ID == "" {
		a.rec.ID = fmt.Sprintf("mnt-%d", s.id)
	}
	if rec, ours := r.cmd.nested(s, a.rec); ours {
		a.rec, a.named = rec, true
	}
	if s.early != nil && s.early.ID == a.rec.ID {
		a.rec = merge(*s.early, a.rec)
	}
	if !s.placed(a.rec) {
		s.early = &a.rec
		return
	}
	s.early = nil
	if c := s.subject; c != nil {
		a.rec.ID = c.rec.ID // a late answer does not make it another container
	}
	over := s.ended != 0 && bootClock()-time.Duration(s.ended) > afterEnd
	r.adopt(s, a.rec, a.named || over)
}

// placed tells whether the namespace is in the cgroup it stays in. Some runtimes
// (crun) make it first and move it then, before the first program of the
// workload: until that it looks like a part of whoever started it.
func (s *space) placed(rec trace.Container) bool {
	marked := rec.Runtime != "" && rec.Runtime != container.Host
	return marked || s.late || s.execs > 0 || s.ended != 0 || s.subject != nil ||
		bootClock()-time.Duration(s.time) > settleIn
}

// ask repeats the questions that have no full answer yet.
func (r *recording) ask(now time.Time) {
	for _, s := range r.spaces {
		if s.asking || now.Before(s.nextAsk) && !(s.refresh && s.subject == nil) {
			continue
		}
		switch c := s.subject; {
		case c == nil && s.known():
			s.refresh = false
			r.identify(s)
		case c != nil && c.main == s && (!c.named || s.refresh):
			s.refresh = false
			r.identify(s)
		}
	}
}

// greetIn is how long the names of containers that run already may take before
// recording is said to be ready.
const greetIn = time.Second

// greet takes in the first names of the containers that run already.
func (r *recording) greet() {
	for limit := time.After(greetIn); r.ident.open > 0; {
		select {
		case a := <-r.ident.answers:
			r.answered(a)
		case <-limit:
			return
		}
	}
}

// known tells whether there is anything to ask with.
func (s *space) known() bool { return s.sight.MountNS != 0 }

// settleNames asks once more for the names that are not known, waits for the
// answers, and names those that none came for by what is known without asking.
func (r *recording) settleNames() {
	for _, s := range r.spaces {
		if s.subject == nil && s.known() || s.subject != nil && !s.subject.named {
			r.identify(s)
		}
	}
	last := time.After(lastAnswers)
	for r.ident.open > 0 {
		select {
		case a := <-r.ident.answers:
			r.answered(a)
		case <-time.After(lastAnswer):
			r.nameless()
			return
		case <-last:
			r.nameless()
			return
		}
	}
	r.nameless()
}

// nameless gives each namespace that is nobody's yet a container, so that none
// is left out.
func (r *recording) nameless() {
	for _, id := range slices.Sorted(maps.Keys(r.spaces)) {
		if s := r.spaces[id]; s.subject == nil {
			r.nobodys(s)
		}
	}
}

// nobodys makes a container of a namespace by what is known without asking.
func (r *recording) nobodys(s *space) {
	var rec trace.Container
	if s.early != nil {
		rec = *s.early
	} else {
		sight := s.sight
		sight.MountNS = s.id
		rec = r.ident.resolver.Locate(sight)
	}
	hidden := !s.known() && len(s.held) > 0 && !r.o.Selection.Empty()
	r.adopt(s, rec, !s.known() && s.ended != 0)
	if hidden && !s.subject.wanted {
		r.unnamed(s.subject)
	}
}
