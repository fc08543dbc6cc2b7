package caps

import (
	"errors"
	"slices"
	"testing"

	"advisor/policies"
	"advisor/policies/manifest"

	"github.com/google/go-cmp/cmp"
)

// podOf is a pod's manifest around the lines of one container.
func podOf(lines string) string {
	return "# ours\nkind: Pod   # as is\nmetadata: {name: web}\nspec:\n  containers:\n" + lines +
		"  # the end\n  restartPolicy: Never\n"
}

// editCase is a container before and after it was edited.
type editCase struct{ name, before, after string }

func editCases() []editCase {
	return []editCase{
		{"nothing there", `  - name: web # the one
    # which image
    image:   nginx
`, `  - name: web # the one
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        add:
          - CHOWN # chown by nginx
        drop:
          - ALL
    # which image
    image:   nginx
`}, {"comments and other fields stay", `  - name: web
    securityContext: # carefully
      # not root
      runAsUser: 33
      capabilities:
        drop:
        - ALL # of them
        add:
        # for the log
        - CHOWN # always
        - NET_ADMIN # once
      # nothing else
    image: nginx
`, `  - name: web
    securityContext: # carefully
      # not root
      runAsUser: 33
      capabilities:
        drop:
        - ALL # of them
        add:
        # for the log
        - CHOWN # always
      allowPrivilegeEscalation: false
      # nothing else
    image: nginx
`},
	}
}

func editsOfBraces() []editCase {
	return []editCase{
		{"braces", `  - image: nginx
    securityContext: {privileged: true, capabilities: {
      add: [ALL], drop: []}}
    name: web
`, `  - image: nginx
    securityContext:
      capabilities:
        add:
          - CHOWN # chown by nginx
        drop:
          - ALL
      allowPrivilegeEscalation: false
    name: web
`}, {"behind the dash", `  - securityContext: {}
    name: web
`, `  - securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        add:
          - CHOWN # chown by nginx
        drop:
          - ALL
    name: web
`},
	}
}

// editsOfTexts are containers with values of several lines, which end where the
// parser does not say.
func editsOfTexts() []editCase {
	const context = `    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        add:
          - CHOWN # chown by nginx
        drop:
          - ALL
`
	var cases []editCase
	for name, first := range map[string]string{
		"a script":  "  - command:\n    - sh\n    - -c\n    - |\n      echo one\n\n      # no comment\n        echo two\n",
		"folded":    "  - image: >-\n      registry/\n      nginx\n",
		"indented":  "  - args:\n    - |2\n        deep\n      shallow\n",
		"in quotes": "  - image: \"registry/\\\n      # \\\" nginx\"\n",
		"single":    "  - image: 'it''s\n      nginx'\n",
		"plain":     "  - image: registry/\n      nginx # here\n",
		"a list":    "  - args: [it's, \"]\", # ]\n      b]\n",
		"wide":      "  - image: größer/\n      nginx\n",
	} {
		rest := "    name: web\n"
		cases = append(cases, editCase{name, first + rest, first + context + rest})
	}
	return cases
}

// editsOfComments are containers with comments behind what changes.
func editsOfComments() []editCase {
	return []editCase{
		{"behind braces", `  - name: web
    securityContext: {runAsUser: 33} # "}" why
    image: nginx
`, `  - name: web
    securityContext: # "}" why
      runAsUser: 33
      allowPrivilegeEscalation: false
      capabilities:
        add:
          - CHOWN # chown by nginx
        drop:
          - ALL
    image: nginx
`}, {"behind a list", `  - name: web
    securityContext:
      capabilities: # both
        add: [NET_RAW] # ping
        drop: [] # none
    image: nginx
`, `  - name: web
    securityContext:
      capabilities: # both
        add: # ping
          - CHOWN # chown by nginx
        drop: # none
          - ALL
      allowPrivilegeEscalation: false
    image: nginx
`},
	}
}

func TestEdit(t *testing.T) {
	for _, tt := range slices.Concat(editCases(), editsOfBraces(), editsOfTexts(), editsOfComments()) {
		t.Run(tt.name, func(t *testing.T) {
			got := edited(t, podOf(tt.before), chownOnly(t, "web"))
			if diff := cmp.Diff(podOf(tt.after), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// chownOnly is a list with CHOWN for a pod's container.
func chownOnly(t *testing.T, container string) Synthesis {
	t.Helper()
	o := nginx()
	o.Workload = policies.Workload{Kind: "Pod", Name: "web", Container: container}
	o.Capabilities = o.Capabilities[3:4]
	o.Containers[0].Granted.Seccomp = ""
	s, err := Synthesize(o, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func edited(t *testing.T, text string, s Synthesis) string {
	t.Helper()
	objects, errs := manifest.Read("x.yaml", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	got, err := Edit([]byte(text), objects[0], s)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestEditCompose(t *testing.T) {
	s := chownOnly(t, "")
	s.Workload = policies.Workload{Kind: policies.KindService, Name: "web"}
	got := edited(t, "services:\n  web:\n    image: nginx\n    cap_add: [SYS_ADMIN]\n"+
		"  db:\n    image: x", s)
	want := `services:
  web:
    image: nginx
    cap_drop:
      - ALL
    security_opt:
      - no-new-privileges:true
    cap_add:
      - CHOWN # chown by nginx
  db:
    image: x`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEditNotInPlace(t *testing.T) {
	for _, text := range []string{
		`{"kind":"Pod","metadata":{"name":"web"},"spec":{"containers":[{"name":"web"}]}}`,
		podOf("  - {name: web}\n"),
		"x: &s {}\n" + podOf("  - name: web\n    securityContext: *s\n"),
	} {
		objects, _ := manifest.Read("x.yaml", []byte(text))
		if _, err := Edit([]byte(text), objects[0], chownOnly(t, "web")); !errors.Is(err, manifest.ErrNotInPlace) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// FuzzEdit holds that what is edited says what it should, and that editing it
// again changes nothing.
func FuzzEdit(f *testing.F) {
	f.Add([]byte(podOf("  - name: web\n    securityContext: {privileged: true}\n")))
	f.Add([]byte(deployment))
	f.Add([]byte("kind: Pod\nspec:\n  containers:\n  - name: web\n" +
		"    securityContext:\n      capabilities: [x]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		objects, errs := manifest.Read("x", text)
		if len(errs) > 0 || len(objects) != 1 {
			return
		}
		s := chownOnly(t, "web")
		once, err := Edit(text, objects[0], s)
		if err != nil {
			return
		}
		again, errs := manifest.Read("x", once)
		if len(errs) > 0 || len(again) != 1 {
			t.Fatalf("does not read: %v\n%s\n%s", errs, text, once)
		}
		list, _ := Parse(again[0])
		at := slices.IndexFunc(list, func(d Declared) bool { return d.Workload.Container == "web" })
		if at < 0 {
			return
		}
		if set, err := Evaluate(list[at], ""); err != nil || !slices.Equal(set.Bounding, s.Add) {
			t.Errorf("holds %v, %v\n%s", set.Bounding, err, once)
		}
		twice, err := Edit(once, again[0], s)
		if err != nil || string(twice) != string(once) {
			t.Errorf("changes again: %v\n%s", err, cmp.Diff(string(once), string(twice)))
		}
	})
}
