package policies

import (
	"cmp"
	"encoding/binary"
	"maps"
	"slices"

	"advisor/trace"
)

// arguments are the distinct recorded argument sets of one system call.
type arguments struct {
	sets       map[string][]trace.Arg
	overflow   bool
	containers int // joined
}

func (a *arguments) add(set []trace.Arg, overflow bool) {
	a.overflow = a.overflow || overflow
	if len(set) == 0 {
		return
	}
	if a.sets == nil {
		a.sets = make(map[string][]trace.Arg)
	}
	key := argsKey(set)
	if _, ok := a.sets[key]; !ok {
		a.sets[key] = slices.Clone(set)
	}
}

func (a *arguments) join(o *arguments) {
	a.overflow = a.overflow || o.overflow
	a.containers++
	for _, set := range o.sets {
		a.add(set, false)
	}
}

func argsKey(set []trace.Arg) string {
	var key []byte
	for _, arg := range set {
		key = binary.BigEndian.AppendUint64(key, uint64(arg.Index))
		key = binary.BigEndian.AppendUint64(key, arg.Value)
		key = binary.BigEndian.AppendUint64(key, arg.Mask)
	}
	return string(key)
}

// sorted are the sets in order: by their first argument's index, value and
// mask, then the second's.
func (a *arguments) sorted() [][]trace.Arg {
	return slices.SortedFunc(maps.Values(a.sets), func(x, y []trace.Arg) int {
		return slices.CompareFunc(x, y, func(p, q trace.Arg) int {
			return cmp.Or(cmp.Compare(p.Index, q.Index), cmp.Compare(p.Value, q.Value),
				cmp.Compare(p.Mask, q.Mask))
		})
	})
}
