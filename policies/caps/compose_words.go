package caps

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// extends is a service by name, or by file and name.
type extends struct{ File, Service string }

// UnmarshalJSON takes both forms.
func (e *extends) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, &e.Service) == nil {
		return nil
	}
	var long struct {
		File    string `json:"file"`
		Service string `json:"service"`
	}
	err := json.Unmarshal(data, &long)
	e.File, e.Service = long.File, long.Service
	return err
}

// switchWord is yes or no, which compose files may also have as a text, with
// variables in it. One that nobody knows the value of is nil.
type switchWord struct {
	said  bool
	value *bool
}

// UnmarshalJSON takes a truth value or a text.
func (s *switchWord) UnmarshalJSON(data []byte) error {
	s.said = string(data) != "null"
	var value bool
	if json.Unmarshal(data, &value) == nil {
		if s.said {
			s.value = &value
		}
		return nil
	}
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("expected true or false, found %s", data)
	}
	text, known := interpolated(text)
	if !known {
		return nil
	}
	switch strings.ToLower(text) {
	case "true", "y", "yes", "on":
		s.value = new(true)
	case "false", "n", "no", "off":
		s.value = new(false)
	default:
		return fmt.Errorf("expected true or false, found %q", text)
	}
	return nil
}

// interpolated is a text with the defaults of its variables, and whether all have
// one (Compose Specification, "Interpolation").
func interpolated(text string) (string, bool) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		switch {
		case !found:
			return out.String(), true
		case strings.HasPrefix(rest, "$"):
			out.WriteByte('$')
			text = rest[1:]
			continue
		case !strings.HasPrefix(rest, "{"):
			return "", false
		}
		variable, after, closed := strings.Cut(rest[1:], "}")
		name, value, found := strings.Cut(variable, "-")
		if !closed || !found || strings.ContainsAny(name, "?+") {
			return "", false
		}
		out.WriteString(value)
		text = after
	}
}

var variable = regexp.MustCompile(`\$(\{[^}]*\}|\w+)`)

// withoutVariables is a text that is to be taken apart, in which those variables
// stand for something that have no default.
func withoutVariables(text string) string {
	if plain, known := interpolated(text); known {
		return plain
	}
	return variable.ReplaceAllString(text, "variable")
}
