package caps

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"advisor/policies"
	"advisor/trace"
)

// VerifiedSchema is the value of [Verified.Schema] that this package reads.
const VerifiedSchema = "advisor.verified/v1"

// Verified is what an experiment found of one workload: what it does without
// and what not, by running it.
type Verified struct {
	Schema  string `json:"schema"`
	Advisor string `json:"advisor,omitempty"` // version that made it
	// Workload is who was run, as a recording names it. Image and Command, the
	// path of its executable, are empty where they are not known.
	Workload policies.Workload `json:"workload"`
	Image    string            `json:"image,omitempty"`
	Command  string            `json:"command,omitempty"`
	// User is who a command was run as, uid:gid; empty for whoever ran it, and
	// for a container, whose arguments say so.
	User            string `json:"user,omitempty"`
	Probe           string `json:"probe,omitempty"` // that told whether it works
	NoNewPrivileges bool   `json:"noNewPrivileges"` // in force in every run
	Seccomp         bool   `json:"seccomp"`         // its own profile was in force in every run
	// Verdicts are of the capabilities that were tried, in their order.
	Verdicts []Trial `json:"verdicts"`
	// Least is the smallest list that was found to pass, sorted.
	Least []string `json:"least"`
	// Restrictions are what else was tried on top of Least, one after the other:
	// each with those before it that passed.
	Restrictions []Restriction `json:"restrictions,omitempty"`
	Runs         int           `json:"runs"`
	// Inferred is what the recording before the experiment said of each.
	Inferred map[string]Inferred `json:"inferred,omitempty"`

	// File is where it was read from, for messages.
	File string `json:"-"`
}

// Trial is what became of the workload without one capability.
type Trial struct {
	Name      string `json:"name"`
	Necessary bool   `json:"necessary"`
	Reason    string `json:"reason,omitempty"` // how the run without it failed
}

// The restrictions that are tried beside capabilities.
const (
	TriedNoNewPrivileges = "no_new_privs"
	TriedReadOnly        = "read-only root"
)

// Restriction is what became of the workload under one more restriction.
type Restriction struct {
	Name   string   `json:"name"`
	Passed bool     `json:"passed"`
	Tmpfs  []string `json:"tmpfs,omitempty"`  // directories that were writable all the same
	Reason string   `json:"reason,omitempty"` // how the run failed
}

// Inferred is what a recording says of a capability.
type Inferred struct {
	Class string `json:"class,omitempty"` // empty where nothing was recorded
	Why   string `json:"why,omitempty"`
}

// ParseVerified reads what "advisor verify" wrote, and refuses anything else:
// keys it does not know, another schema, a list that the verdicts contradict.
func ParseVerified(file string, text []byte) (Verified, error) {
	var v Verified
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return Verified{}, fmt.Errorf("%s: no result of an experiment: %w", file, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return Verified{}, fmt.Errorf("%s: text after the result", file)
	}
	if v.Schema != VerifiedSchema {
		return Verified{}, fmt.Errorf("%s: the schema is %q, and this reads %s", file, v.Schema, VerifiedSchema)
	}
	if err := v.validate(); err != nil {
		return Verified{}, fmt.Errorf("%s: %w", file, err)
	}
	v.File = file
	return v, nil
}

func (v Verified) validate() error {
	var tried []string
	for _, t := range v.Verdicts {
		if _, known := trace.CapabilityNumber(t.Name); !known {
			return fmt.Errorf("no capability is called %q", t.Name)
		}
		if slices.Contains(tried, t.Name) {
			return fmt.Errorf("two verdicts on %s", t.Name)
		}
		if t.Necessary && !slices.Contains(v.Least, t.Name) {
			return fmt.Errorf("%s is necessary, and not on the least list", t.Name)
		}
		tried = append(tried, t.Name)
	}
	for i, name := range v.Least {
		if !slices.Contains(tried, name) || slices.Contains(v.Least[:i], name) {
			return fmt.Errorf("%s is on the least list twice, or without a verdict", name)
		}
	}
	for _, r := range v.Restrictions {
		if r.Name != TriedNoNewPrivileges && r.Name != TriedReadOnly {
			return fmt.Errorf("no restriction is called %q", r.Name)
		}
	}
	if v.Workload.Name == "" && v.Image == "" && v.Command == "" {
		return errors.New("it does not say what was run")
	}
	return nil
}

// trial is the verdict on a capability, nil where there is none.
func (v *Verified) trial(name string) *Trial {
	if v == nil {
		return nil
	}
	i := slices.IndexFunc(v.Verdicts, func(t Trial) bool { return t.Name == name })
	if i < 0 {
		return nil
	}
	return &v.Verdicts[i]
}

// Word is what a verdict says, in a word or two.
func (t Trial) Word() string {
	if t.Necessary {
		return "necessary"
	}
	return "not needed"
}

// passed is the restriction of that name where the workload passed under it.
func (v *Verified) passed(name string) *Restriction {
	if v == nil {
		return nil
	}
	i := slices.IndexFunc(v.Restrictions, func(r Restriction) bool { return r.Name == name && r.Passed })
	if i < 0 {
		return nil
	}
	return &v.Restrictions[i]
}
