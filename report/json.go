package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"advisor/policies"
)

// JSON prints the whole report; [Read] takes it back.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Read takes back what [Report.JSON] printed, and refuses anything else: keys
// it does not know, another schema, text after the object.
func Read(name string, in io.Reader) (*Report, error) {
	data, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	r := new(Report)
	if err := dec.Decode(r); err != nil {
		return nil, fmt.Errorf("%s: no report: %w", name, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: text after the report", name)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("%s: the schema is %q, and this reads %s", name, r.Schema, Schema)
	}
	if r.Findings == nil {
		r.Findings = []policies.Finding{}
	}
	return r, nil
}
