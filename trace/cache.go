package trace

import (
	"bytes"
	"hash/maphash"
	"math"
	"strconv"
	"time"
)

// cache knows lines again that differ only in when, by which process and from
// which port a fact was seen: the same facts over and over, as many nodes and
// days give them. Such a line needs no JSON parser. It is put together from
// the record of the line that was parsed, so what the cache says is what the
// parser would.
//
// A line is kept when its like comes the second time: most traces say each
// fact once.
type cache struct {
	known map[string]Record // by the line without what varies
	size  int
	door  []uint32 // hashes of lines that came once, by their lower bits
	seed  maphash.Seed
	like  []byte // the last line without what varies; empty where it cannot be told
	vary  varying
}

const (
	maxCache  = 16 << 20 // bytes, roughly
	entrySize = 400      // of a record and its place in the map
	doorBits  = 15
)

// varying is what tells sightings of one fact apart, where the line was cut.
type varying struct {
	time      time.Time
	pid, port number // port is that of the sample: local or peerPort
}

type number struct {
	value int
	cut   bool
}

func (n number) set(into *int) {
	if n.cut {
		*into = n.value
	}
}

// get returns a copy of the known record that the line repeats, with the
// line's own time, pid and port, or nil.
func (c *cache) get(line []byte) Record {
	c.like, c.vary = c.like[:0], varying{}
	rest, ok := c.cutPort(line)
	if ok {
		rest, ok = c.cutTime(rest)
	}
	if ok {
		rest, ok = c.cutPID(rest)
	}
	if !ok {
		c.like = c.like[:0]
		return nil
	}
	c.like = append(c.like, rest...)
	if rec := c.known[string(c.like)]; rec != nil {
		return sightingOf(rec, c.vary)
	}
	return nil
}

// The cuts move the line up to a value to c.like, read the value, and return
// what follows it. NUL, which no JSON has, marks the place. As a quote in a
// string is escaped, what they look for is the name of a member.

func (c *cache) cutPort(line []byte) ([]byte, bool) {
	if !bytes.HasPrefix(line, []byte(`{"type":"connect"`)) && !bytes.HasPrefix(line, []byte(`{"type":"accept"`)) {
		return line, true
	}
	for _, name := range [...]string{`"local":`, `"peerPort":`} {
		if at := bytes.Index(line, []byte(name)); at >= 0 {
			return c.cutNumber(line, at+len(name), &c.vary.port, 65535)
		}
	}
	return line, true
}

func (c *cache) cutTime(line []byte) ([]byte, bool) {
	const name = `"time":"`
	at := bytes.Index(line, []byte(name))
	if at < 0 {
		return nil, false
	}
	value := line[at+len(name):]
	end := bytes.IndexByte(value, '"')
	if end < 0 || c.vary.time.UnmarshalText(value[:end]) != nil {
		return nil, false
	}
	c.like = append(append(c.like, line[:at+len(name)]...), 0)
	return value[end:], true
}

func (c *cache) cutPID(line []byte) ([]byte, bool) {
	const name = `"pid":`
	at := bytes.Index(line, []byte(name))
	if at < 0 {
		return line, true
	}
	return c.cutNumber(line, at+len(name), &c.vary.pid, math.MaxInt32)
}

func (c *cache) cutNumber(line []byte, at int, into *number, highest uint64) ([]byte, bool) {
	end := at
	for end < len(line) && line[end] >= '0' && line[end] <= '9' {
		end++
	}
	n, err := strconv.ParseUint(string(line[at:end]), 10, 64)
	if err != nil || n > highest || end-at > 1 && line[at] == '0' {
		return nil, false
	}
	*into = number{int(n), true}
	c.like = append(append(c.like, line[:at]...), 0)
	return line[end:], true
}

// put keeps the record of the line that get was asked for last, if it is of a
// kind that repeats and came before. It must hold no list, which copies would
// share.
func (c *cache) put(rec Record) {
	call, ok := rec.(*Syscall)
	if ok && call.Args != nil || len(c.like) == 0 || sightingOf(rec, varying{}) == nil || !c.again() {
		return
	}
	if c.size > maxCache || c.known == nil {
		c.known, c.size = make(map[string]Record), 0
	}
	c.known[string(c.like)] = rec
	c.size += len(c.like) + entrySize
}

// again says that the like of the last line came before, as far as is known.
func (c *cache) again() bool {
	if c.door == nil {
		c.door = make([]uint32, 1<<doorBits)
		c.seed = maphash.MakeSeed()
	}
	hash := maphash.Bytes(c.seed, c.like)
	at, mark := hash&(1<<doorBits-1), uint32(hash>>32)
	if c.door[at] == mark {
		return true
	}
	c.door[at] = mark
	return false
}

// sightingOf is a copy of a record with its own time, pid and port; nil for a
// record that is no sighting.
func sightingOf(rec Record, v varying) Record {
	switch r := rec.(type) {
	case *Syscall:
		fact := *r
		return v.sighted(&fact.Sighting, &fact)
	case *Capability:
		fact := *r
		return v.sighted(&fact.Sighting, &fact)
	case *Connect:
		fact := *r
		v.port.set(&fact.Local)
		return v.sighted(&fact.Sighting, &fact)
	case *Accept:
		fact := *r
		v.port.set(&fact.PeerPort)
		return v.sighted(&fact.Sighting, &fact)
	case *Listen:
		fact := *r
		return v.sighted(&fact.Sighting, &fact)
	case *Denied:
		fact := *r
		return v.sighted(&fact.Sighting, &fact)
	case *Exec:
		fact := *r
		return v.sighted(&fact.Sighting, &fact)
	case *File:
		fact := *r
		return v.sighted(&fact.Sighting, &fact)
	}
	return nil
}

func (v varying) sighted(s *Sighting, fact Record) Record {
	s.Time = v.time
	v.pid.set(&s.PID)
	return fact
}
