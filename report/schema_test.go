package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"advisor/report"
)

var update = flag.Bool("update", false, "rewrite docs/report.schema.json")

const schemaFile = "../docs/report.schema.json"

// TestSchemaIsCurrent holds the published schema against the types.
func TestSchemaIsCurrent(t *testing.T) {
	want, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"title":   "The report of advisor diff --format json, advisor.report/v1",
		"allOf":   []any{schemaOf(reflect.TypeFor[report.Report]())},
	}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	want = append(want, '\n')
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not current; -update writes it (-want +got):\n%s", schemaFile, diff)
	}
}

// TestReportFitsSchema validates a real report, and one with a key too many.
func TestReportFitsSchema(t *testing.T) {
	schema := compile(t, schemaFile)
	var b bytes.Buffer
	if err := driftReport(t).JSON(&b); err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(decode(t, b.Bytes())); err != nil {
		t.Errorf("a report does not fit its schema: %v", err)
	}
	wrong := bytes.Replace(b.Bytes(), []byte(`"schema":`), []byte(`"shape":`), 1)
	if err := schema.Validate(decode(t, wrong)); err == nil {
		t.Error("a report with a misspelt key fits the schema")
	}
}

func compile(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat() // only annotations otherwise, from draft 2019-09 on
	schema, err := compiler.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func decode(t *testing.T, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// schemaOf is the schema of a type as encoding/json writes it.
func schemaOf(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return schemaOf(t.Elem())
	}
	switch t.Kind() {
	case reflect.Struct:
		return schemaOfStruct(t)
	case reflect.Slice:
		return map[string]any{"type": []string{"array", "null"}, "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	default:
		return map[string]any{"type": "integer"}
	}
}

func schemaOfStruct(t reflect.Type) map[string]any {
	properties := make(map[string]any)
	var required []string
	addFields(t, properties, &required)
	return map[string]any{
		"type": "object", "properties": properties, "required": append([]string{}, required...),
		"additionalProperties": false,
	}
}

// addFields adds the fields of a struct, those of embedded ones in their place.
func addFields(t reflect.Type, properties map[string]any, required *[]string) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported():
		case field.Anonymous && name == "":
			addFields(field.Type, properties, required)
		default:
			properties[name] = schemaOf(field.Type)
			if !strings.Contains(options, "omit") {
				*required = append(*required, name)
			}
		}
	}
}
