package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/policies/caps"
)

// Held is what the processes of one declared container can hold, as an engine
// resolves its lists.
type Held struct {
	policies.Workload
	Engine   string            `json:"engine"`
	Refused  string            `json:"refused,omitempty"` // why the engine would not start it; then nothing below holds
	Bounding []string          `json:"bounding"`          // what any process can hold at most
	Start    []string          `json:"effective"`         // what the first process holds, if the image's user is root where UserUnknown
	Gainable []string          `json:"gainable"`          // what set-user-id programs and file capabilities still give
	Idle     []string          `json:"ineffective"`       // added, and no process can hold it
	NoNew    bool              `json:"noNewPrivileges"`
	User     string            `json:"user"` // root, not root, or the image's
	OwnUsers bool              `json:"userNamespace"`
	Position policies.Position `json:"position,omitzero"`
}

// HeldBy says it of each container of the manifests, sorted; engine "" is the
// one that reads such a manifest. Windows containers hold nothing of it. It
// fails where no engine is called so.
func HeldBy(m Manifests, engine string) ([]Held, error) {
	if err := caps.CheckEngine(engine); err != nil {
		return nil, err
	}
	var list []Held
	for _, d := range m.Declared {
		if d.Windows {
			continue
		}
		h := Held{Workload: d.Workload, Engine: or(engine, d.Engine), Position: d.Position}
		s, err := caps.Evaluate(d, engine)
		if err != nil {
			h.Refused = err.Error()
		}
		h.Bounding, h.Start, h.Gainable, h.Idle = listed(s.Bounding), listed(s.Effective), listed(s.Gainable), listed(s.Ineffective)
		h.NoNew, h.User, h.OwnUsers = s.NoNewPrivileges, s.UserWord(), s.UserNamespace
		list = append(list, h)
	}
	return list, nil
}

// listed is names as a list that is never null.
func listed(names []string) []string { return append([]string{}, names...) }

// Text is the container with a line for each set that says something of its own.
func (h Held) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s\n", workloadTitle(h.Workload), h.Engine, h.Position)
	line := func(label, text string) { fmt.Fprintf(&b, "  %-16s %s\n", label, text) }
	if h.Refused != "" {
		line("refused", h.Refused)
		_, err := io.WriteString(w, b.String())
		return err
	}
	line("user", h.User)
	line("no_new_privs", map[bool]string{true: "yes", false: "no"}[h.NoNew])
	line("held at start", or(strings.Join(h.Start, ", "), "none"))
	if !slices.Equal(h.Gainable, h.Start) && len(h.Gainable) > 0 {
		line("can be gained", strings.Join(h.Gainable, ", "))
	}
	if len(h.Idle) > 0 {
		line("ineffective", strings.Join(h.Idle, ", "))
	}
	if h.OwnUsers {
		line("user namespace", "its own")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
