package container

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits on what is taken from a container or its runtime, in bytes.
const (
	maxName   = 253  // a DNS name; Docker and Kubernetes allow no more
	maxValue  = 4096 // of a label
	maxLabels = 128
	maxPath   = 4096    // PATH_MAX of the kernel
	maxFile   = 4 << 20 // of a state file
	maxAnswer = 8 << 20 // of a socket
)

// clean cuts s to at most limit bytes of printable UTF-8.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
	if len(s) > limit {
		s = strings.ToValidUTF8(s[:limit], "")
	}
	return s
}

// cleanLabels keeps the labels that are of a sane size, at most maxLabels.
func cleanLabels(labels map[string]string) map[string]string {
	out := make(map[string]string)
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if key == "" || len(key) > 2*maxName || len(out) == maxLabels {
			continue
		}
		out[clean(key, 2*maxName)] = clean(labels[key], maxValue)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
