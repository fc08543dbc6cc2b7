package netpol

import (
	"maps"
	"net/netip"
	"slices"
	"sort"
	"strconv"
	"strings"

	"advisor/policies/netpol/iprange"

	networkingv1 "k8s.io/api/networking/v1"
)

// space is both address families, cut at the bounds of all ipBlocks of one
// direction.
type space struct {
	blocks  map[string][]iprange.Range // distinct ones, by their text
	cells   []cell                     // in order
	classes int
	outside []bool // by class: in no block
}

// cell is a range of addresses that every block holds as a whole or not at
// all. Cells of one class are in the same blocks.
type cell struct {
	iprange.Range
	class int
}

func (s *space) add(b *networkingv1.IPBlock) {
	if s.blocks == nil {
		s.blocks = make(map[string][]iprange.Range)
	}
	if key := blockText(b); s.blocks[key] == nil {
		s.blocks[key] = blockRanges(b)
	}
}

func blockRanges(b *networkingv1.IPBlock) []iprange.Range {
	cidr, err := parseCIDR(b.CIDR)
	if err != nil {
		return nil
	}
	var except []iprange.Range
	for _, text := range b.Except {
		if p, err := parseCIDR(text); err == nil {
			except = append(except, iprange.Of(p))
		}
	}
	return iprange.Minus(iprange.Of(cidr), except)
}

// cut makes the cells.
func (s *space) cut() {
	keys := slices.Sorted(maps.Keys(s.blocks))
	var ranges []iprange.Range
	for _, key := range keys {
		ranges = append(ranges, s.blocks[key]...)
	}
	for _, r := range iprange.Cells(ranges) {
		s.cells = append(s.cells, cell{Range: r})
	}
	inside := make([][]int, len(s.cells))
	for id, key := range keys {
		for _, r := range s.blocks[key] {
			for i := s.firstCell(r); i < len(s.cells) && r.Contains(s.cells[i].From); i++ {
				inside[i] = append(inside[i], id)
			}
		}
	}
	s.classify(inside)
}

// firstCell is where the cells of a range of some block begin.
func (s *space) firstCell(r iprange.Range) int {
	return sort.Search(len(s.cells), func(i int) bool { return !s.cells[i].From.Less(r.From) })
}

// classify numbers the cells by the blocks they are in; families stay apart.
func (s *space) classify(inside [][]int) {
	ids := make(map[string]int)
	for i := range s.cells {
		var key strings.Builder
		key.WriteString(strconv.FormatBool(s.cells[i].From.Is4()))
		for _, b := range inside[i] {
			key.WriteString(" " + strconv.Itoa(b))
		}
		id, known := ids[key.String()]
		if !known {
			id = len(ids)
			ids[key.String()] = id
			s.outside = append(s.outside, len(inside[i]) == 0)
		}
		s.cells[i].class = id
	}
	s.classes = len(ids)
}

// classAt is the class of an address.
func (s *space) classAt(ip netip.Addr) int {
	i := sort.Search(len(s.cells), func(i int) bool { return ip.Less(s.cells[i].From) })
	return s.cells[i-1].class
}

// signature tells addresses of pods apart that blocks tell apart.
func (s *space) signature(ips []netip.Addr) string {
	text, within := "", false
	for _, ip := range ips {
		class := s.classAt(ip)
		within = within || !s.outside[class]
		text += "\x03" + strconv.Itoa(class)
	}
	if !within {
		return ""
	}
	return text
}

// classesIn is the classes that a block holds.
func (s *space) classesIn(key string) map[int]bool {
	in := make(map[int]bool)
	for _, r := range s.blocks[key] {
		for i := s.firstCell(r); i < len(s.cells) && r.Contains(s.cells[i].From); i++ {
			in[s.cells[i].class] = true
		}
	}
	return in
}

// entities appends one entity for each class.
func (s *space) entities(list []entity) []entity {
	start := len(list)
	list = append(list, make([]entity, s.classes)...)
	for _, c := range s.cells {
		e := &list[start+c.class]
		e.ranges = append(e.ranges, c.Range)
	}
	return list
}
