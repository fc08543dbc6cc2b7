// Package verify runs a workload under a list of capabilities, and again
// without each of them, to tell which it cannot do without.
//
// A recording shows what was asked for and granted. Whether the workload would
// have got along without is for an experiment to tell, and this is it.
//
//   - Every run is a fresh one, and the one before has ended.
//   - A run passes when the probe, a shell command, exits 0 within the time for
//     it. Without a probe the workload itself has to end with 0.
//   - Nothing is said of single capabilities unless the whole list passes.
//   - Where several can be spared, that they can be spared together is tried as
//     well: of two that stand in for one another each alone seems unnecessary.
//   - Restrictions are tried last, on top of the least list, each with those
//     before it that passed.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// ErrFails says that the workload does not pass under the whole list.
var ErrFails = errors.New("the workload does not pass under the whole list")

// Options say what to run, and how to tell that it works.
type Options struct {
	Capabilities []string // the list to verify, without "CAP_"
	// Command is a program with its arguments, to be run in a mount and pid
	// namespace of its own.
	Command []string
	// Docker are the arguments of docker run, with image and command: a
	// container in place of Command. They name no capabilities.
	Docker []string
	// Seccomp is the path of a profile for Docker, empty for Docker's default;
	// Filter is one for a command, an array of struct sock_filter, empty for none.
	Seccomp         string
	Filter          []byte
	NoNewPrivileges bool
	// User is who a command is run as, as [monitor.ParseUser] reads it, empty for
	// whoever runs the experiment. A container's is among its arguments.
	User string
	// Restrictions are tried once the least list is known.
	Restrictions []Restriction
	// Probe is a shell command that uses the workload and exits 0 if it works.
	// It is tried again until then. For a container the environment has its id
	// as ADVISOR_CONTAINER and its address as ADVISOR_ADDRESS.
	Probe  string
	Within time.Duration // for each run, 0 for [DefaultWithin]
	Output io.Writer     // takes what workload and probe write; nil for nobody
	Tried  func(Attempt) // is told of each run; nil for nobody
}

// Restriction is one to try beside capabilities.
type Restriction struct {
	// Name is [NoNewPrivileges] or [ReadOnly].
	Name string
	// Tmpfs are directories that stay writable, and lose what they hold; of
	// ReadOnly only.
	Tmpfs []string
}

// The restrictions there are.
const (
	NoNewPrivileges = "no_new_privs"   // nobody gains privileges by exec
	ReadOnly        = "read-only root" // of a container: its root file system cannot be written to
)

// DefaultWithin is how long a run may take until its probe passes.
const DefaultWithin = 10 * time.Second

// Attempt is one run.
type Attempt struct {
	Without []string `json:"without,omitempty"` // taken off the list
	Under   string   `json:"under,omitempty"`   // one more restriction
	Passed  bool     `json:"passed"`
	Reason  string   `json:"reason,omitempty"` // why it did not pass
}

// Verdict is what was found of one capability.
type Verdict struct {
	Name      string `json:"name"`
	Necessary bool   `json:"necessary"`
	Reason    string `json:"reason,omitempty"` // how the run without it failed
}

// Outcome is what was found of one restriction.
type Outcome struct {
	Name   string   `json:"name"`
	Passed bool     `json:"passed"`
	Tmpfs  []string `json:"tmpfs,omitempty"`
	Reason string   `json:"reason,omitempty"` // how the run failed
}

// Result is what was found.
type Result struct {
	Verdicts []Verdict `json:"verdicts"` // in the order of the list
	// Least is the smallest list that was found to pass, sorted.
	Least        []string  `json:"least"`
	Restrictions []Outcome `json:"restrictions,omitempty"` // in the order they were named
	Runs         int       `json:"runs"`
	Image        string    `json:"-"` // of the container, as Docker has it
}

// Run verifies the list. It fails with [ErrFails] where not even all of it will
// do, and where ctx is done before the end.
func Run(ctx context.Context, o Options) (Result, error) {
	e := experiment{o: o, start: Options.start}
	return e.run(ctx)
}

// experiment is a verification under way.
type experiment struct {
	o        Options // as it stands: a restriction that passed is kept
	readOnly *Restriction
	start    func(o Options, ctx context.Context, s setting) (*process, error)
	runs     int
	image    string
}

// setting is what changes from run to run.
type setting struct {
	capabilities []string
	quiet        bool         // no_new_privs
	readOnly     *Restriction // nil for a root that can be written to
}

func (e *experiment) run(ctx context.Context) (Result, error) {
	if first := e.without(ctx); !first.Passed {
		return Result{Runs: e.runs}, errors.Join(ctx.Err(), fmt.Errorf("%w: %s", ErrFails, first.Reason))
	}
	var r Result
	var spare []string
	for _, name := range e.o.Capabilities {
		a := e.without(ctx, name)
		r.Verdicts = append(r.Verdicts, Verdict{Name: name, Necessary: !a.Passed, Reason: a.Reason})
		if a.Passed {
			spare = append(spare, name)
		}
	}
	r.Least = e.less(e.spare(ctx, spare))
	for _, more := range e.o.Restrictions {
		r.Restrictions = append(r.Restrictions, e.restrict(ctx, r.Least, more))
	}
	r.Runs, r.Image = e.runs, e.image
	return r, ctx.Err()
}

// restrict makes one run under a restriction more, and keeps it where that
// passes.
func (e *experiment) restrict(ctx context.Context, least []string, more Restriction) Outcome {
	s := e.setting(least)
	if more.Name == NoNewPrivileges {
		s.quiet = true
	} else {
		s.readOnly = &more
	}
	a := e.attempt(ctx, Attempt{Under: more.Name}, s)
	if a.Passed {
		e.o.NoNewPrivileges, e.readOnly = s.quiet, s.readOnly
	}
	return Outcome{Name: more.Name, Passed: a.Passed, Tmpfs: more.Tmpfs, Reason: a.Reason}
}

func (e *experiment) setting(capabilities []string) setting {
	return setting{capabilities: capabilities, quiet: e.o.NoNewPrivileges, readOnly: e.readOnly}
}

// spare is what of names can be spared together: all, or what is left when one
// after the other is tried.
func (e *experiment) spare(ctx context.Context, names []string) []string {
	if len(names) < 2 || e.without(ctx, names...).Passed {
		return names
	}
	spared := names[:1:1]
	for _, name := range names[1:] {
		if more := append(slices.Clone(spared), name); e.without(ctx, more...).Passed {
			spared = more
		}
	}
	return spared
}

// less is the list without some, sorted.
func (e *experiment) less(names []string) []string {
	list := []string{}
	for _, name := range e.o.Capabilities {
		if !slices.Contains(names, name) {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// without makes one run with less than the whole list.
func (e *experiment) without(ctx context.Context, names ...string) Attempt {
	return e.attempt(ctx, Attempt{Without: names}, e.setting(e.less(names)))
}

func (e *experiment) attempt(ctx context.Context, a Attempt, s setting) Attempt {
	e.runs++
	err := e.try(ctx, s)
	if a.Passed = err == nil; err != nil {
		a.Reason = err.Error()
	}
	if e.o.Tried != nil {
		e.o.Tried(a)
	}
	return a
}

func (e *experiment) try(ctx context.Context, s setting) error {
	within := e.o.Within
	if within == 0 {
		within = DefaultWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	p, err := e.start(e.o, ctx, s)
	if err != nil {
		return err
	}
	e.image = p.image
	return errors.Join(e.judge(ctx, p), p.stop())
}

// judge waits until it is clear whether p works.
func (e *experiment) judge(ctx context.Context, p *process) error {
	if e.o.Probe != "" {
		err := Probe(ctx, e.o.Probe, p.env, p.ended, e.o.Output)
		if last := strings.TrimSpace(p.last()); err != nil && last != "" {
			return fmt.Errorf("%w; the workload wrote: %s", err, last)
		}
		return err
	}
	select {
	case <-ctx.Done():
		return errors.New("it did not end in time, and no probe tells whether it works")
	case <-p.ended:
	}
	if code := p.code(); code != 0 {
		return p.endedWith(code)
	}
	return nil
}

// process is a workload that runs.
type process struct {
	image string          // of a container
	env   []string        // for the probe
	ended <-chan struct{} // closed when it has
	code  func() int      // its exit code then
	last  func() string   // the last line it wrote
	stop  func() error    // ends it, waits, and clears away
}

func (p *process) endedWith(code int) error {
	text := fmt.Sprintf("it ended with %d", code)
	if last := strings.TrimSpace(p.last()); last != "" {
		text += ": " + last
	}
	return errors.New(text)
}
