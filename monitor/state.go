package monitor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"advisor/bpf"
)

// Values shared with bpf/state.h.
const (
	maxSlots = 2048 // slot 0 is the host
	calls    = 512

	classStartOpen     = 1
	classStartFiltered = 2
	classRunOpen       = 4
	classRunFiltered   = 8
	classDenied        = 16

	archNative = 0
	archCompat = 1
	archX32    = 2

	slotLate      = 1
	slotEnded     = 2
	slotFactsLost = 4
	slotCleared   = 8 // of nobody, and not free yet; time is the namespace it was of

	eventSlot = 1
	eventCall = 2
	eventExec = 3
	eventExit = 4

	deniedSignal = 4096
	stackEntries = 16384
)

// state reads what the probes keep. Nothing is deleted by reading.
type state struct {
	vars  *ebpf.Memory
	at    map[string]int64 // offset of each variable
	maps  map[string]*ebpf.Map
	lists *ebpf.Program
	ring  *ringbuf.Reader
	exes  map[uint64]string
}

func newState(spec *ebpf.CollectionSpec, coll *ebpf.Collection, slots uint32) (*state, error) {
	s, err := openState(spec, coll)
	if err != nil {
		return nil, err
	}
	return s, s.prepare(slots)
}

// openState opens state that is as it was left, or all zero.
func openState(spec *ebpf.CollectionSpec, coll *ebpf.Collection) (*state, error) {
	vars, err := coll.Maps[".bss"].Memory()
	if err != nil {
		return nil, fmt.Errorf("mapping the probes' state: %w", err)
	}
	ring, err := ringbuf.NewReader(coll.Maps[bpf.RecorderMapEvents])
	if err != nil {
		return nil, fmt.Errorf("opening the ring buffer: %w", err)
	}
	s := &state{
		vars: vars, at: make(map[string]int64), maps: coll.Maps, ring: ring,
		lists: coll.Programs[bpf.RecorderProgListTasks], exes: make(map[uint64]string),
	}
	for name, v := range spec.Variables {
		if v.SectionName == ".bss" {
			s.at[name] = int64(v.Offset)
		}
	}
	return s, nil
}

// prepare marks every call of the host as seen, except those after which a
// task may not be on the host any more, and lists the free slots.
func (s *state) prepare(slots uint32) error {
	var host bpf.RecorderSlot
	for nr := range host.Seen {
		host.Seen[nr] = classRunOpen
	}
	for _, nr := range slices.Concat(namespaceCalls(), compatNamespaceCalls()) {
		host.Seen[nr] = 0
	}
	if err := s.write(bpf.RecorderVarSlots, &host); err != nil {
		return err
	}
	if err := s.write(bpf.RecorderVarAttachedAt, ^uint64(0)); err != nil {
		return err
	}
	for i := uint32(1); i <= min(slots, maxSlots-1); i++ {
		if err := s.maps[bpf.RecorderMapFreeSlots].Put(nil, i); err != nil {
			return fmt.Errorf("listing free slots: %w", err)
		}
	}
	return nil
}

func (s *state) write(name string, value any) error {
	raw, err := binary.Append(nil, binary.NativeEndian, value)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", name, err)
	}
	if _, err := s.vars.WriteAt(raw, s.at[name]); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// located says where the host is; without it every task looks contained.
func (s *state) locate(host bpf.RecorderTask) error {
	return errors.Join(
		s.write(bpf.RecorderVarHostInum, host.Inum),
		s.write(bpf.RecorderVarHostNetns, host.Netns))
}

// attached says that containers which begin from now on are seen whole.
func (s *state) attached() error {
	return s.write(bpf.RecorderVarAttachedAt, uint64(bootClock()))
}

// tasks calls f with the processes in namespaces other than the host's, and
// kthreadd. Before the host is located it does with all. A task is f's until it
// returns.
func (s *state) tasks(f func(*bpf.RecorderTask)) error {
	it, err := link.AttachIter(link.IterOptions{Program: s.lists})
	if err != nil {
		return fmt.Errorf("listing tasks: %w", err)
	}
	defer it.Close()
	r, err := it.Open()
	if err != nil {
		return fmt.Errorf("listing tasks: %w", err)
	}
	defer r.Close()
	return wrap(eachTask(r, f), "listing tasks")
}

// eachTask reads tasks as the kernel writes them, a few at a time: there may be
// many thousands.
func eachTask(r io.Reader, f func(*bpf.RecorderTask)) error {
	var few [32]bpf.RecorderTask
	const size = int(unsafe.Sizeof(few[0]))
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&few)), unsafe.Sizeof(few))
	for {
		n, err := io.ReadFull(r, raw)
		for i := range n / size {
			f(&few[i])
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// slots calls f with the slots in use. One that is being filled is left out.
func (s *state) slots(f func(index int, slot *bpf.RecorderSlot)) error {
	size := int64(unsafe.Sizeof(bpf.RecorderSlot{}))
	raw := make([]byte, size)
	base := s.at[bpf.RecorderVarSlots]
	for i := 1; i < maxSlots; i++ {
		at := base + int64(i)*size
		if _, err := s.vars.ReadAt(raw[:8], at); err != nil {
			return fmt.Errorf("reading slot %d: %w", i, err)
		}
		if binary.NativeEndian.Uint64(raw) == 0 {
			continue
		}
		if _, err := s.vars.ReadAt(raw, at); err != nil {
			return fmt.Errorf("reading slot %d: %w", i, err)
		}
		if slot := (*bpf.RecorderSlot)(unsafe.Pointer(unsafe.SliceData(raw))); slot.Time != 0 {
			f(i, slot)
		}
	}
	return nil
}

// orphans are the slots that a recorder emptied before it was killed, by the
// namespace they were of.
func (s *state) orphans() (map[uint64]uint32, error) {
	found := make(map[uint64]uint32)
	for i := uint32(1); i < maxSlots; i++ {
		slot, err := s.slot(i)
		if err != nil {
			return nil, fmt.Errorf("reading slot %d: %w", i, err)
		}
		if slot.Id == 0 && slot.Flags == slotCleared {
			found[slot.Time] = i
		}
	}
	return found, nil
}

// slot reads one.
func (s *state) slot(index uint32) (bpf.RecorderSlot, error) {
	var slot bpf.RecorderSlot
	size := int64(unsafe.Sizeof(slot))
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&slot)), size)
	_, err := s.vars.ReadAt(raw, s.at[bpf.RecorderVarSlots]+int64(index)*size)
	return slot, err
}

// fresh is how many entries the fact maps have had; unchanged, they need no look.
func (s *state) fresh() uint64 { return s.number(bpf.RecorderVarFresh) }

func (s *state) number(name string) uint64 {
	var raw [8]byte
	if _, err := s.vars.ReadAt(raw[:], s.at[name]); err != nil {
		return 0
	}
	return binary.NativeEndian.Uint64(raw[:])
}

// losses counts what the kernel could not keep.
func (s *state) losses() bpf.RecorderLosses {
	var l bpf.RecorderLosses
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&l)), unsafe.Sizeof(l))
	_, _ = s.vars.ReadAt(raw, s.at[bpf.RecorderVarLost])
	return l
}

// drain calls f with the events that are there, and does not wait for more.
func (s *state) drain(f func(*bpf.RecorderEvent)) error {
	s.ring.SetDeadline(time.Now())
	var rec ringbuf.Record
	for {
		err := s.ring.ReadInto(&rec)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return fmt.Errorf("reading the ring buffer: %w", err)
		case len(rec.RawSample) < int(unsafe.Sizeof(bpf.RecorderEvent{})):
			continue
		}
		f((*bpf.RecorderEvent)(unsafe.Pointer(unsafe.SliceData(rec.RawSample))))
	}
}

// exe is the path that stands under key, "" where it is not known any more.
func (s *state) exe(key uint64) string {
	if key == 0 {
		return ""
	}
	if known, ok := s.exes[key]; ok {
		return known
	}
	var raw bpf.RecorderExe
	if s.maps[bpf.RecorderMapExes].Lookup(key, &raw) != nil {
		return ""
	}
	if len(s.exes) > 1<<14 {
		clear(s.exes)
	}
	s.exes[key] = joinNames(text(raw.Path[:]))
	return s.exes[key]
}

// text views a C array of char as bytes.
func text(c []int8) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(c))), len(c))
}

// joinNames makes a path of the names from the leaf up that the kernel left in
// raw: each ends with a zero, the last with two. What is behind them is left
// over from others.
func joinNames(raw []byte) string {
	if len(raw) == 0 || raw[0] == 0 {
		return "/"
	}
	end := bytes.Index(raw, []byte{0, 0})
	if end < 0 {
		end = len(raw)
	}
	names := bytes.Split(bytes.TrimRight(raw[:end], "\x00"), []byte{0})
	slices.Reverse(names)
	return path.Clean("/" + string(bytes.Join(names, []byte{'/'})))
}

// leaf is the first name of such a list.
func leaf(raw []byte) string {
	name, _, _ := bytes.Cut(raw, []byte{0})
	return string(name)
}
