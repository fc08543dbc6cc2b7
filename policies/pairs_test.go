package policies

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTwins(t *testing.T) {
	for _, tt := range []struct {
		name       string
		old, fresh []string // key and file
		want       [][2]int
	}{
		{"one of each", []string{"a x/a.yaml", "b x/b.yaml"}, []string{"b y/b.yaml", "a y/a.yaml"}, [][2]int{{0, 1}, {1, 0}}},
		{"gone and new", []string{"a x"}, []string{"b x"}, [][2]int{{0, -1}, {-1, 0}}},
		{"overlays", []string{"a old/dev/a.yaml", "a old/prod/a.yaml"},
			[]string{"a new/prod/a.yaml", "a new/dev/a.yaml"}, [][2]int{{0, 1}, {1, 0}}},
		{"one overlay less", []string{"a old/dev/a.yaml", "a old/prod/a.yaml"},
			[]string{"a new/prod/a.yaml"}, [][2]int{{0, -1}, {1, 0}}},
		{"one overlay more", []string{"a old/prod/a.yaml"},
			[]string{"a new/dev/a.yaml", "a new/prod/a.yaml"}, [][2]int{{0, 1}, {-1, 0}}},
		{"one file", []string{"a old.yaml", "a old.yaml"}, []string{"a new.yaml", "a new.yaml"}, [][2]int{{0, 0}, {1, 1}}},
	} {
		part := func(i int) func(string) string { return func(s string) string { return strings.Fields(s)[i] } }
		if diff := cmp.Diff(tt.want, Twins(tt.old, tt.fresh, part(0), part(1))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, diff)
		}
	}
}
