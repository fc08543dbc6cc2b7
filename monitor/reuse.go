package monitor

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"github.com/cilium/ebpf"

	"advisor/bpf"
)

// empty takes namespaces out of the kernel's state, with all their facts. gone has
// the slot of each. The maps are read through once for all of them.
func (s *state) empty(gone map[uint64]uint32) error {
	if len(gone) == 0 {
		return nil
	}
	var errs []error
	for id, index := range gone {
		_ = s.maps[bpf.RecorderMapById].Delete(id)
		// Whose it was is for who takes the recording up before the slot is free.
		errs = append(errs, s.writeSlot(index, &bpf.RecorderSlot{Time: id, Flags: slotCleared}), s.uncount(index))
	}
	is := func(id uint64) bool { return gone[id] != 0 }
	return errors.Join(append(errs,
		deleteIf(s.maps[bpf.RecorderMapCaps], func(k *bpf.RecorderCapKey) bool { return is(k.Id) }),
		deleteIf(s.maps[bpf.RecorderMapCapKinds], func(k *bpf.RecorderCapKey) bool { return is(k.Id) }),
		deleteIf(s.maps[bpf.RecorderMapNets], func(k *bpf.RecorderNetKey) bool { return is(k.Id) }),
		deleteIf(s.maps[bpf.RecorderMapCalls], func(k *bpf.RecorderCallKey) bool { return is(k.Id) }),
		deleteIf(s.maps[bpf.RecorderMapRareCounts], func(k *bpf.RecorderRareKey) bool { return is(k.Id) }),
		deleteIf(s.maps[bpf.RecorderMapArgs], func(k *bpf.RecorderArgKey) bool { return is(k.Id) }),
		deleteIf(s.maps[bpf.RecorderMapArgCounts], func(k *bpf.RecorderCallKey) bool { return is(k.Id) }),
		deleteIf(s.maps[bpf.RecorderMapFiles], func(k *bpf.RecorderFileKey) bool { return is(k.Id) }),
		deleteIf(s.maps[bpf.RecorderMapFileCounts], func(k *bpf.RecorderFileKey) bool { return is(k.Id) }),
		deleteHints[uint64](s.maps[bpf.RecorderMapByCgroup], is),
		deleteHints[uint32](s.maps[bpf.RecorderMapByNetns], is))...)
}

// uncount sets the occurrences of a slot's calls to zero.
func (s *state) uncount(index uint32) error {
	counts := s.maps[bpf.RecorderMapCallCounts]
	if index >= counts.MaxEntries() {
		return nil
	}
	return wrap(counts.Put(index, new(bpf.RecorderCallCounts)), "tidying up")
}

// free lets the slot be handed out again.
func (s *state) free(index uint32) error {
	// First this: a slot that is listed twice would be given to two containers.
	if err := s.writeSlot(index, &bpf.RecorderSlot{}); err != nil {
		return err
	}
	if err := s.maps[bpf.RecorderMapFreeSlots].Put(nil, index); err != nil {
		return fmt.Errorf("freeing slot %d: %w", index, err)
	}
	return nil
}

func (s *state) writeSlot(index uint32, slot *bpf.RecorderSlot) error {
	size := int64(unsafe.Sizeof(*slot))
	raw := unsafe.Slice((*byte)(unsafe.Pointer(slot)), size)
	if _, err := s.vars.WriteAt(raw, s.at[bpf.RecorderVarSlots]+int64(index)*size); err != nil {
		return fmt.Errorf("writing slot %d: %w", index, err)
	}
	return nil
}

// noteEnd writes into a slot when its namespace ended.
func (s *state) noteEnd(index uint32, at uint64) error {
	var slot bpf.RecorderSlot
	place := s.at[bpf.RecorderVarSlots] + int64(index)*int64(unsafe.Sizeof(slot)) + int64(unsafe.Offsetof(slot.Ended))
	if _, err := s.vars.WriteAt(binary.NativeEndian.AppendUint64(nil, at), place); err != nil {
		return fmt.Errorf("writing slot %d: %w", index, err)
	}
	return nil
}

// deleteIf deletes the keys that match.
func deleteIf[K any](m *ebpf.Map, match func(*K) bool) error {
	var (
		key  K
		val  = make([]byte, m.ValueSize())
		gone []K
	)
	it := m.Iterate()
	for it.Next(&key, &val) {
		if match(&key) {
			gone = append(gone, key)
		}
	}
	for _, key := range gone {
		_ = m.Delete(&key)
	}
	return wrap(it.Err(), "tidying up")
}

// deleteHints deletes the keys under which such an id stands.
func deleteHints[K any](m *ebpf.Map, is func(id uint64) bool) error {
	var (
		key  K
		val  uint64
		gone []K
	)
	it := m.Iterate()
	for it.Next(&key, &val) {
		if is(val) {
			gone = append(gone, key)
		}
	}
	for _, key := range gone {
		_ = m.Delete(&key)
	}
	return wrap(it.Err(), "tidying up")
}
