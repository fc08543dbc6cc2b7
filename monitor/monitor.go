// Package monitor is the record phase: it attaches the probes of package bpf,
// names containers, writes the trace and stops cleanly.
//
// Rules it keeps:
//
//   - The kernel's maps are the truth. Events only bring time and process of a
//     first sighting; what no event told is found in the maps a second later.
//   - Nothing has to be in time: containers are named after the fact, and their
//     records wait in memory until they are.
//   - Nothing is deleted by reading, and every loss is counted and written down.
//   - Records are flushed each second and synced every five, so that a crash
//     costs the last seconds of the file and nothing of the state.
package monitor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime/debug"
	"time"

	"advisor/monitor/container"
	"advisor/trace"
)

// Options says what to record, where to, and for how long.
type Options struct {
	// Output is the path of the trace; "-" is Stdout. An existing file is an
	// error unless Append or Force says what to do with it.
	Output string
	Append bool // continue the trace that is there
	Force  bool // replace it
	// Rotate begins another file when the trace has grown to so many bytes; 0 is
	// never. Each begins with what is known, so that it reads alone.
	Rotate uint64

	Duration   time.Duration // stop after this long; 0 is never
	UntilQuiet time.Duration // stop when no new fact came for this long; 0 is never
	UntilExit  bool          // stop when every selected container has ended, and each named one has been there

	Selection     container.Selection
	SelectionText []string // the selection as the user wrote it, for the header

	// Command is run in a mount and pid namespace of its own and recorded as
	// one container; recording ends with it.
	Command        []string
	User           *User // that it runs as, nil for the recorder's own
	Stdin          *os.File
	Stdout, Stderr *os.File

	// Denied says whether calls that a seccomp filter refuses are recorded:
	// "on", "off", or "auto" (also ""): while a recorded container has a filter.
	// It costs every system call of the host while it is on.
	Denied string
	// Outcomes says whether the outcome of calls that check a capability is
	// recorded: "on", "off", or "auto" (also ""): for a command and for selected
	// containers. The cost is that of Denied.
	Outcomes string
	// Arguments has the arguments of calls recorded that are numbers of a small
	// set: flags, families, commands. Those calls then cost more each time.
	Arguments bool
	// Counts has the occurrences of each fact counted. Each call of a container
	// then costs an addition more.
	Counts bool
	// StrictCompat has every call asked for its ABI, so that a 64-bit program that
	// calls the kernel as a 32-bit one does (int 0x80) is always told apart. Without
	// it, such a call of a number that its container used natively before may be
	// passed over. x86 only; elsewhere a program has one ABI.
	StrictCompat bool
	// Files has facts recorded about programs that are run and files that are
	// opened and changed. The cost is that of Denied, and more for those calls.
	Files bool
	// Last is how many of each container's last calls are kept, with arguments
	// and results, and written when it ends, when a filter first refuses a call
	// of it, and for each value of Dump; 0 is none, MaxLast the most. The cost is
	// that of Denied and more for each call.
	Last int
	Dump <-chan os.Signal

	Slots int // containers recorded at a time; 0 is 2047, the most there can be

	// Pin is a folder of a bpf file system to keep probes and state in while this
	// process lives: where it is killed, recording goes on. "" keeps nothing.
	// Resume takes up what is there. A recording that ends in order leaves nothing.
	Pin    string
	Resume bool

	// Drop gives up every capability of this process, for good, that recording
	// does not need once it has begun.
	Drop bool

	Version string       // of advisor, for the header
	Log     *slog.Logger // nil is silent
	Ready   func(Status) // called once, when every probe is attached
	Status  func(Status) // called each second, nil is nobody

	without  string            // a probe that is left out, to show that it is needed
	ring     uint32            // bytes of the ring of events, 0 for the usual
	crowded  bool              // all tasks share an entry of the stack table
	runtimes container.Options // where runtimes are looked for
	hostNet  string            // the network namespace that translates addresses, "" for the host's
}

// Status is how far a recording is.
type Status struct {
	Elapsed    time.Duration
	Probes     int    // attached
	Containers int    // that are selected and known so far
	Records    uint64 // written
	Bytes      uint64
	Lost       uint64        // facts
	Quiet      time.Duration // since the last new fact was first seen
	Unseen     []string      // names of the selection that nobody seen goes by, as flags
	Others     []string      // where there are such, names of some containers that are not selected
}

// Result is what a recording came to.
type Result struct {
	Status
	Complete trace.Complete
	Reason   string            // why it ended: interrupt, duration, quiet, exit, command
	Losses   []trace.Loss      // by what was lost, and by whom where that is known
	Losers   map[string]string // names of the containers that losses are of, by id
	Late     []string          // names of recorded containers that ran before, and were not seen to start
	ExitCode int               // of Command, as a shell gives it, also where it could not be run; 0 without one
}

// ErrNoContainer says that recording ended and nothing that was selected had
// been seen. The trace is whole, and empty.
var ErrNoContainer = errors.New("no container matched the selection")

// ErrPrivilege says that the process lacks what recording needs.
var ErrPrivilege = errors.New("not enough privilege to record")

// Run records until ctx is done, or Options says that it is enough. When ctx is
// done it still drains what there is, writes the end and returns a nil error.
func Run(ctx context.Context, o Options) (Result, error) {
	// A recorder that stays on shares the node with what it records: a fraction
	// of a percent of CPU time buys half of the memory.
	defer debug.SetGCPercent(debug.SetGCPercent(30))
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := errors.Join(checkExtras(o), privileged(o), pinned(o)); err != nil {
		return Result{}, err
	}
	cmd, err := newCommand(o)
	if err != nil {
		return Result{ExitCode: exitOf(err)}, err
	}
	if err := vacant(o); err != nil {
		return Result{}, err
	}
	i := newIdentifier(container.New(o.runtimes))
	defer i.listen(context.WithoutCancel(ctx))()
	p, names, err := open(o)
	if err != nil {
		return Result{}, err
	}
	defer p.close()
	out, err := create(o)
	if err != nil {
		if o.Resume {
			p.spare(o)
		}
		return Result{}, err
	}
	r := newRecording(o, p, out, cmd, i)
	defer r.nat.close()
	res, err := r.record(ctx, names)
	if failed := out.close(); !errors.Is(err, failed) {
		err = errors.Join(err, failed)
	}
	return res, err
}

// record follows what the probes see until it is enough.
func (r *recording) record(ctx context.Context, names trace.Probes) (Result, error) {
	o, cmd := r.o, r.cmd
	if err := r.out.write(header(o, r.clock, names)); err != nil {
		return Result{}, err
	}
	if o.Resume {
		if err := errors.Join(r.takeUp(), r.snapshot(false), r.uncount()); err != nil {
			return Result{}, err
		}
	}
	if err := r.existing(); err != nil {
		o.Log.Warn("containers that already run are found by their next call", "error", err)
	}
	r.greet()
	if o.Ready != nil {
		o.Ready(r.status())
	}
	if err := cmd.start(); err != nil {
		return Result{ExitCode: exitOf(err)}, errors.Join(err, r.finish("command"))
	}
	if o.Drop {
		if err := drop(o); err != nil {
			o.Log.Warn("recording with more privileges than needed", "error", err)
		}
	}
	if single, err := mapSingly(); err != nil {
		o.Log.Debug("pages of the program stay mapped", "reason", err)
	} else {
		defer single.close()
	}
	reason := r.follow(ctx)
	cmd.stop()
	if err := r.finish(reason); err != nil {
		return Result{}, err
	}
	return r.result(reason), r.unmatched()
}

// open loads and attaches everything the kernel lets us.
func open(o Options) (*probes, trace.Probes, error) {
	if o.Resume {
		p, err := resume(o.Pin)
		if err != nil {
			return nil, trace.Probes{}, explain(err)
		}
		return p, p.resumed(), nil
	}
	p, err := load(limits{
		slots: slotLimit(o), exits: exitsWanted(o), args: o.Arguments, counts: o.Counts,
		strict: o.StrictCompat, files: o.Files, last: o.Last, without: o.without,
		ring: o.ring, crowded: o.crowded,
	})
	if err != nil {
		return nil, trace.Probes{}, explain(err)
	}
	names, err := p.attachAll(o)
	if err == nil && o.Pin != "" {
		err = p.pin(o.Pin)
	}
	if err != nil {
		return nil, trace.Probes{}, errors.Join(explain(err), p.close())
	}
	return p, names, nil
}

func slotLimit(o Options) uint32 {
	if o.Slots <= 0 || o.Slots >= maxSlots {
		return maxSlots - 1
	}
	return uint32(o.Slots)
}

// exitsWanted tells whether the probe on the way out may be needed.
func exitsWanted(o Options) bool { return o.Denied != "off" || outcomesWanted(o) || exitsNeeded(o) }

// exitsNeeded tells whether there is nothing to record without it.
func exitsNeeded(o Options) bool { return o.Files || o.Last > 0 }

func outcomesWanted(o Options) bool {
	if o.Outcomes == "on" || o.Outcomes == "off" {
		return o.Outcomes == "on"
	}
	return len(o.Command) > 0 || !o.Selection.Empty()
}

func header(o Options, c clock, names trace.Probes) *trace.Header {
	uts := uname()
	return &trace.Header{
		Schema: trace.Schema, Advisor: o.Version, Node: uts.node, Kernel: uts.release,
		Arch: archName(archNative), Boot: bootID(), Start: c.now(), Probes: names,
		Selection: o.SelectionText,
	}
}

// exitOf is the exit code a shell gives for an error of starting a program.
func exitOf(err error) int {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return 127
	}
	if errors.Is(err, os.ErrPermission) {
		return 126
	}
	return 125
}

func writerOr(f *os.File) io.Writer {
	if f == nil {
		return io.Discard
	}
	return f
}
