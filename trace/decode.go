package trace

import (
	"bytes"
	"errors"
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// kindOf is the value of the line's "type" member. The Writer puts it first,
// where it is found without a look at the rest.
func kindOf(line []byte) (string, error) {
	if rest, ok := bytes.CutPrefix(line, []byte(`{"type":"`)); ok {
		if end := bytes.IndexByte(rest, '"'); end >= 0 && plain(rest[:end]) {
			return string(rest[:end]), nil
		}
	}
	var head struct {
		Kind *string `json:"type"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return "", err
	}
	if head.Kind == nil {
		return "", errors.New(`it has no "type"`)
	}
	return *head.Kind, nil
}

func plain(name []byte) bool {
	for _, b := range name {
		if b < 'a' || b > 'z' {
			return false
		}
	}
	return len(name) > 0
}

// decode reads the record of a line, nil where its type is not known, and
// returns how many of its members are not known.
func decode(line []byte) (rec Record, unknown int, err error) {
	kind, err := kindOf(line)
	if err != nil {
		return nil, 0, err
	}
	switch kind {
	case "header":
		return members(line, new(Header))
	case "container":
		return members(line, new(Container))
	case "syscall":
		return members(line, new(Syscall))
	case "capability":
		return members(line, new(Capability))
	case "connect":
		return members(line, new(Connect))
	case "accept":
		return members(line, new(Accept))
	case "listen":
		return members(line, new(Listen))
	}
	return decodeOther(kind, line)
}

func decodeOther(kind string, line []byte) (rec Record, unknown int, err error) {
	switch kind {
	case "denied":
		return members(line, new(Denied))
	case "counts":
		return members(line, new(Counts))
	case "exit":
		return members(line, new(Exit))
	case "loss":
		return members(line, new(Loss))
	case "last":
		return members(line, new(Last))
	case "exec":
		return members(line, new(Exec))
	case "file":
		return members(line, new(File))
	case "end":
		return members(line, new(End))
	}
	var other map[string]jsontext.Value
	return nil, 0, json.Unmarshal(line, &other)
}

// typed is a record with its "type" member, which is read elsewhere.
type typed[R any] struct {
	Kind string `json:"type"`
	Rec  *R     `json:",embed"`
}

// members reads the members of a line into rec. Names are case-sensitive, and
// one name twice is an error.
func members[R any, P interface {
	*R
	Record
}](line []byte, rec P) (Record, int, error) {
	err := json.Unmarshal(line, &typed[R]{Rec: rec}, json.RejectUnknownMembers(true))
	unknown := 0
	if errors.Is(err, json.ErrUnknownName) {
		var open typed[R]
		if err = json.Unmarshal(line, &open); err == nil {
			rec = open.Rec
			unknown, err = unknownMembers(line, reflect.TypeFor[typed[R]]())
		}
	}
	if err == nil && rec == nil {
		rec = new(R)
	}
	if err == nil {
		err = check(rec)
	}
	if err != nil {
		return nil, 0, err
	}
	return rec, unknown, nil
}
