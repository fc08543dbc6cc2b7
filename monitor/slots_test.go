package monitor

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/fixtures/bed"
	"advisor/monitor/container"
)

// byHand is a recording whose steps a test takes itself.
func byHand(t *testing.T, o Options) *recording {
	t.Helper()
	bed.Require(t, "nsenter")
	o.Output, o.Selection = filepath.Join(t.TempDir(), "trace.log"), container.Selection{Host: true}
	p, names, err := open(o)
	if err != nil {
		skipOrFail(t, err)
	}
	t.Cleanup(func() { p.close() })
	out, err := create(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { out.close() })
	o.Log = out.o.Log
	r := newRecording(o, p, out, &command{}, newIdentifier(container.New(o.runtimes)))
	if err := out.write(header(o, r.clock, names)); err != nil {
		t.Fatal(err)
	}
	return r
}

// look takes in what there is, and looks for what has ended.
func (r *recording) look(t *testing.T) {
	t.Helper()
	if err := r.p.state.drain(r.event); err != nil {
		t.Fatal(err)
	}
	if err := r.snapshot(false); err != nil {
		t.Fatal(err)
	}
	r.scan()
}

// keptNS is a mount namespace that stays when nobody is in it.
type keptNS struct{ file *os.File }

func keep(t *testing.T) keptNS {
	t.Helper()
	cmd := exec.Command("cat")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		skipOrFail(t, err)
	}
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/mnt", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return keptNS{f}
}

// visit runs a program in it, until the function that is returned is called.
func (k keptNS) visit(t *testing.T) (leave func()) {
	t.Helper()
	cmd := exec.Command("nsenter", "--mount=/proc/self/fd/3", "cat")
	cmd.ExtraFiles = []*os.File{k.file}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte{'.'}); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err) // cat is there when it answers
	}
	return func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// longAgo makes all that has ended ended for long.
func (r *recording) longAgo() {
	for _, s := range r.spaces {
		if s.ended != 0 {
			s.ended = min(s.ended, uint64(bootClock()-2*keepEnded))
		}
	}
}

// slotsAre holds that each slot is free, or somebody's, or about to be free, and
// only one of these.
func slotsAre(t *testing.T, r *recording, all int) {
	t.Helper()
	holders := make(map[uint32][]string)
	var free uint32
	for r.p.coll.Maps[bpf.RecorderMapFreeSlots].LookupAndDelete(nil, &free) == nil {
		holders[free] = append(holders[free], "nobody")
	}
	var id uint64
	var index uint32
	it := r.p.coll.Maps[bpf.RecorderMapById].Iterate()
	for it.Next(&id, &index) {
		holders[index] = append(holders[index], fmt.Sprint(id))
		if slot, err := r.p.state.slot(index); err != nil || slot.Id != id {
			t.Errorf("slot %d is known as that of %d and is of %d, %v", index, id, slot.Id, err)
		}
	}
	for _, s := range r.spaces {
		for _, left := range s.left {
			holders[left] = append(holders[left], fmt.Sprintf("left by %d", s.id))
		}
	}
	for i := 1; i <= all; i++ {
		if len(holders[uint32(i)]) != 1 {
			t.Errorf("slot %d is held by %q", i, holders[uint32(i)])
		}
	}
}

// TestSlotsOfKeptNamespaces: who comes back into a namespace that was given up,
// whenever that is, gets a slot of its own, and no slot is lost or given twice.
func TestSlotsOfKeptNamespaces(t *testing.T) {
	const all = 2047 // others have containers too
	steps := map[string]func(r *recording, ns keptNS){
		"between emptying and freeing": func(r *recording, ns keptNS) {
			ns.visit(t)()
			r.look(t) // ended
			r.longAgo()
			r.look(t) // emptied
			ns.visit(t)()
			r.look(t)
			r.longAgo()
			r.look(t)
		},
		"there when it was to be freed": func(r *recording, ns keptNS) {
			ns.visit(t)()
			r.look(t)
			r.longAgo()
			r.look(t)
			leave := ns.visit(t)
			r.look(t)
			leave()
			r.look(t)
			r.longAgo()
			r.look(t)
			r.longAgo()
			r.look(t)
		},
		"after it was freed": func(r *recording, ns keptNS) {
			for range 2 {
				ns.visit(t)()
				for range 4 {
					r.look(t)
					r.longAgo()
				}
			}
		},
	}
	for name, step := range steps {
		t.Run(name, func(t *testing.T) {
			ns := keep(t)
			r := byHand(t, Options{Denied: "off"})
			step(r, ns)
			slotsAre(t, r, all)
		})
	}
}
