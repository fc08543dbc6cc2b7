package monitor

import (
	"hash/maphash"
	"reflect"
)

// factID stands for what makes something one fact. It is 128 bits of a hash that
// is another in each run, so that nobody can make up two facts with the same, and
// takes a tenth of what the facts themselves would.
type factID [2]uint64

// hasher makes the ids of one recording.
type hasher [2]maphash.Seed

func newHasher() hasher { return hasher{maphash.MakeSeed(), maphash.MakeSeed()} }

func idOf[K comparable](h hasher, key K) factID {
	return factID{maphash.Comparable(h[0], key), maphash.Comparable(h[1], key)}
}

// anyID is the id of a key of any comparable type. The hash of an interface leaves
// out which type is in it.
func anyID(h hasher, key any) factID {
	return idOf(h, struct {
		of  reflect.Type
		key any
	}{reflect.TypeOf(key), key})
}

// known is a set of facts.
type known map[factID]struct{}

func (k known) has(id factID) bool {
	_, ok := k[id]
	return ok
}

// add tells whether it is new.
func (k *known) add(id factID) bool {
	if k.has(id) {
		return false
	}
	if *k == nil {
		*k = make(known)
	}
	(*k)[id] = struct{}{}
	return true
}
