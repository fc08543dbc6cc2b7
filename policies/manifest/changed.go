package manifest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Changed fails with the place of the first value that an edit changed and was
// not meant to: one for which may, told its object as it was, the steps that lead
// to the value and what it was, does not say yes. What an anchor in the edited
// part, or a text that ends where it did not seem to, does elsewhere shows here.
func Changed(before, after []Object, may func(o Object, path []any, was any) bool) error {
	if len(before) != len(after) {
		return fmt.Errorf("it would have %d objects in place of %d", len(after), len(before))
	}
	for i, o := range before {
		var was, is any
		if err := json.Unmarshal(o.body, &was); err != nil {
			return o.errorf(nil, "%w", err)
		}
		if err := json.Unmarshal(after[i].body, &is); err != nil {
			return o.errorf(nil, "%w", err)
		}
		c := change{o, may}
		if path := c.find(nil, was, is); path != nil {
			return o.errorf(path, "%s would change, too", pathWords(path))
		}
	}
	return nil
}

type change struct {
	Object
	may func(o Object, path []any, was any) bool
}

// find is the path to the first change that may not be, nil where there is none.
func (c change) find(path []any, was, is any) []any {
	if reflect.DeepEqual(was, is) || len(path) > 0 && c.may(c.Object, path, was) {
		return nil
	}
	step := func(s any) []any { return append(slices.Clone(path), s) }
	switch old := was.(type) {
	case map[string]any:
		fresh, ok := is.(map[string]any)
		if !ok {
			return step("")
		}
		keys := slices.Concat(slices.Collect(maps.Keys(old)), slices.Collect(maps.Keys(fresh)))
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			if at := c.find(step(key), old[key], fresh[key]); at != nil {
				return at
			}
		}
		return nil
	case []any:
		fresh, ok := is.([]any)
		if !ok || len(fresh) != len(old) {
			return step("")
		}
		for i := range old {
			if at := c.find(step(i), old[i], fresh[i]); at != nil {
				return at
			}
		}
		return nil
	}
	return step("")
}

// pathWords is a path as in spec.containers[0].image.
func pathWords(path []any) string {
	var b strings.Builder
	for _, step := range path {
		switch step := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", step)
		case string:
			if step != "" {
				b.WriteString("." + step)
			}
		}
	}
	return strings.TrimPrefix(b.String(), ".")
}
