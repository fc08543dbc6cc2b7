package trace

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ErrIncomplete is returned at the end of a trace that stops short of its End
// record. Everything read before it is good.
var ErrIncomplete = errors.New("trace stops without an end record")

// ErrNotTrace is what the error of [Reader.Next] wraps where the input is not a
// trace of a version that this package reads. Nothing more can be read.
var ErrNotTrace = errors.New("not a trace")

// ErrLater is what the error of [Reader.Next] wraps, with [ErrNotTrace], where the
// input is of a later major version of the format.
var ErrLater = fmt.Errorf("%w that this version reads", ErrNotTrace)

// ErrInvalid is what the error of [Writer.Write] wraps where the record is not
// one that the format allows, or cannot stand where it would. The trace is as
// it was, and takes other records.
var ErrInvalid = errors.New("invalid record")

// LineError is a line that cannot be read. The reader can go on after it.
type LineError struct {
	Name string // of the trace
	Line int    // from 1
	Err  error
}

// Error is the error with its place, as "trace.log:7: …".
func (e *LineError) Error() string { return fmt.Sprintf("%s:%d: %v", e.Name, e.Line, e.Err) }

// Unwrap is the error without its place.
func (e *LineError) Unwrap() error { return e.Err }

// explain puts an error of the JSON library in the words of the format.
func explain(err error) error {
	var syntax *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName) && errors.As(err, &syntax):
		return fmt.Errorf("%q stands twice in one object", syntax.JSONPointer.LastToken())
	case errors.As(err, &syntax):
		return fmt.Errorf("no JSON object: at byte %d: %w", syntax.ByteOffset, syntax.Err)
	case errors.As(err, &semantic):
		return explainMember(semantic)
	}
	return err
}

func explainMember(e *json.SemanticError) error {
	field := strings.TrimPrefix(string(e.JSONPointer), "/")
	if field == "" {
		return fmt.Errorf("it is %s, not an object", kindName(e.JSONKind))
	}
	what := kindName(e.JSONKind)
	if len(e.JSONValue) > 0 {
		what = string(e.JSONValue)
	}
	return fmt.Errorf("%s is %s, not %s", field, what, expected(e.GoType))
}

func kindName(k jsontext.Kind) string {
	switch k {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '[':
		return "an array"
	case '{':
		return "an object"
	}
	return "something else"
}

// expected is a member's type in words.
func expected(t reflect.Type) string {
	if t == nil {
		return "what it should be"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Uint64:
		return "a whole number from 0"
	case reflect.String:
		return "a string"
	case reflect.Slice:
		return "an array"
	case reflect.Struct:
		if t.Name() == "Time" {
			return "a time as in RFC 3339"
		}
	}
	return "an object"
}
