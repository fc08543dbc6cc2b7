package trace

import (
	"reflect"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// unknownMembers counts the members of a JSON value that the Go type it was
// read into does not have, at any depth.
func unknownMembers(value jsontext.Value, in reflect.Type) (int, error) {
	switch {
	case in == reflect.TypeFor[time.Time]():
		return 0, nil
	case in.Kind() == reflect.Pointer:
		return unknownMembers(value, in.Elem())
	case in.Kind() == reflect.Slice && value.Kind() == '[':
		return unknownInArray(value, in.Elem())
	case in.Kind() == reflect.Struct && value.Kind() == '{':
		return unknownInObject(value, in)
	}
	return 0, nil
}

func unknownInArray(text jsontext.Value, in reflect.Type) (int, error) {
	var elements []jsontext.Value
	if err := json.Unmarshal(text, &elements); err != nil {
		return 0, err
	}
	n := 0
	for _, value := range elements {
		inner, err := unknownMembers(value, in)
		if err != nil {
			return 0, err
		}
		n += inner
	}
	return n, nil
}

func unknownInObject(text jsontext.Value, in reflect.Type) (int, error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(text, &members); err != nil {
		return 0, err
	}
	known := make(map[string]reflect.Type)
	addFields(known, in)
	n := 0
	for name, value := range members {
		if known[name] == nil {
			n++
			continue
		}
		inner, err := unknownMembers(value, known[name])
		if err != nil {
			return 0, err
		}
		n += inner
	}
	return n, nil
}

// addFields lists the types of a struct's members by their names in JSON.
func addFields(known map[string]reflect.Type, in reflect.Type) {
	for field := range in.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case options == "embed":
			addFields(known, field.Type.Elem())
		case field.Anonymous:
			addFields(known, field.Type)
		default:
			known[name] = field.Type
		}
	}
}
