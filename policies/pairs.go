package policies

import (
	"slices"
	"strings"
)

// Twins pairs what two lists have under one key: -1 stands for what the other list
// does not have. Where a list has several of a key, as where the overlays of several
// environments stand side by side, those whose files end alike are a pair, and else
// those that come first. Pairs are in the order of old, then what only fresh has.
func Twins[T any, K comparable](old, fresh []T, key func(T) K, file func(T) string) [][2]int {
	left := make(map[K][]int)
	for i, v := range fresh {
		left[key(v)] = append(left[key(v)], i)
	}
	of := make(map[K][]int)
	for i, v := range old {
		of[key(v)] = append(of[key(v)], i)
	}
	partner := make(map[int]int)
	for k, list := range of {
		// The nearest first, so that one does not take another's.
		for len(list) > 0 && len(left[k]) > 0 {
			a, b := nearest(list, left[k], func(i, j int) int { return alikeEnd(file(old[i]), file(fresh[j])) })
			partner[list[a]] = left[k][b]
			list, left[k] = slices.Delete(list, a, a+1), slices.Delete(left[k], b, b+1)
		}
	}
	var pairs [][2]int
	for i := range old {
		j, ok := partner[i]
		if !ok {
			j = -1
		}
		pairs = append(pairs, [2]int{i, j})
	}
	for i, v := range fresh {
		if slices.Contains(left[key(v)], i) {
			pairs = append(pairs, [2]int{-1, i})
		}
	}
	return pairs
}

// nearest is the pair of places with the greatest likeness, of equals the first.
func nearest(a, b []int, like func(i, j int) int) (x, y int) {
	most := -1
	for i := range a {
		for j := range b {
			if n := like(a[i], b[j]); n > most {
				x, y, most = i, j, n
			}
		}
	}
	return x, y
}

// alikeEnd is how many of the last parts of two paths are the same.
func alikeEnd(a, b string) int {
	x, y := strings.Split(a, "/"), strings.Split(b, "/")
	n := 0
	for n < len(x) && n < len(y) && x[len(x)-1-n] == y[len(y)-1-n] {
		n++
	}
	return n
}
