package caps

import (
	"strings"
	"testing"

	"advisor/policies"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// verified is an experiment with nginx: FOO is never there, CHOWN and SETUID
// are necessary, SETGID is spare.
func verified() Verified {
	return Verified{
		Schema: VerifiedSchema, Workload: nginx().Workload, Probe: "curl web",
		Verdicts: []Trial{
			{Name: "CHOWN", Necessary: true, Reason: "it ended with 1"},
			{Name: "SETGID"},
			{Name: "SETUID", Necessary: true, Reason: "it ended with 1"},
		},
		Least: []string{"CHOWN", "SETUID"}, Runs: 5,
	}
}

const verifiedText = `{"schema":"advisor.verified/v1","workload":{"kind":"Image","name":"nginx:1"},"image":"nginx:1",
"noNewPrivileges":false,"seccomp":true,"verdicts":[{"name":"CHOWN","necessary":true},{"name":"KILL","necessary":false}],
"least":["CHOWN"],"restrictions":[{"name":"no_new_privs","passed":true}],"runs":4}`

func TestParseVerified(t *testing.T) {
	got, err := ParseVerified("v.json", []byte(verifiedText))
	if err != nil {
		t.Fatal(err)
	}
	if got.File != "v.json" || len(got.Verdicts) != 2 || got.passed(TriedNoNewPrivileges) == nil {
		t.Errorf("%+v", got)
	}
	tests := []struct{ name, from, to, want string }{
		{"another schema", "verified/v1", "verified/v2", "v.json: the schema is"},
		{"a key nobody knows", `"runs"`, `"rums"`, "v.json: no result of an experiment"},
		{"a second object", `"runs":4}`, `"runs":4} {}`, "v.json: text after the result"},
		{"a capability nobody knows", `"name":"KILL"`, `"name":"KIL"`, `v.json: no capability is called "KIL"`},
		{"two verdicts", `"name":"KILL"`, `"name":"CHOWN"`, "v.json: two verdicts on CHOWN"},
		{"necessary and spared", `"least":["CHOWN"]`, `"least":[]`, "v.json: CHOWN is necessary, and not on"},
		{"never tried", `"least":["CHOWN"]`, `"least":["CHOWN","SETUID"]`, "v.json: SETUID is on the least list"},
		{"a restriction nobody knows", `"no_new_privs"`, `"chroot"`, `v.json: no restriction is called "chroot"`},
		{"of nothing", `"workload":{"kind":"Image","name":"nginx:1"},"image":"nginx:1",`,
			`"workload":{"kind":"","name":""},`, "v.json: it does not say what was run"},
	}
	for _, tt := range tests {
		text := strings.Replace(verifiedText, tt.from, tt.to, 1)
		if _, err := ParseVerified("v.json", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

func FuzzParseVerified(f *testing.F) {
	f.Add([]byte(verifiedText))
	f.Add([]byte(`{"schema":"advisor.verified/v1","image":"x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := ParseVerified("f", data)
		if err != nil {
			return
		}
		v.Belongs(nginx())
		for _, least := range []bool{false, true} {
			s, err := Synthesize(nginx(), Options{Verified: &v, Least: least})
			if err != nil {
				t.Fatal(err)
			}
			if p := Prove(s, nginx()); !p.OK() {
				t.Errorf("%v does not hold: %v", s.Add, p.Failed)
			}
		}
	})
}

func TestBelongs(t *testing.T) {
	of := func(kind, name, image, command string) policies.Observation {
		return policies.Observation{
			Workload:   policies.Workload{Kind: kind, Name: name},
			Containers: []trace.Container{{ID: "a", Image: image, Command: command}},
		}
	}
	made := func(kind, name, image, command string) Verified {
		return Verified{Workload: policies.Workload{Kind: kind, Name: name}, Image: image, Command: command}
	}
	tests := []struct {
		name string
		v    Verified
		o    policies.Observation
		want string // why not, "" where it belongs
	}{
		{"the same image in a cluster", made("Container", "web", "nginx:1", "/nginx"),
			of("Deployment", "shop", "docker.io/library/nginx:1", "/nginx"), ""},
		{"no tag is latest", made("Image", "nginx", "nginx", ""), of("Pod", "p", "nginx:latest", "/x"), ""},
		{"another version", made("Container", "web", "nginx:1", ""), of("Container", "web", "nginx:2", ""),
			"it was made with the image nginx:1, and the recording is of nginx:2"},
		{"another program of the image", made("Container", "a", "tools:1", "/bin/a"),
			of("Container", "b", "tools:1", "/bin/b"),
			"it was made with the program /bin/a, and Container/b runs /bin/b"},
		{"the same name, no image known", made("Container", "web", "", ""), of("Container", "web", "", ""), ""},
		{"the same program", made("Command", "a", "", "/bin/a"), of("Command", "x", "", "/bin/a"), ""},
		{"a program of the host and one of an image", made("Command", "a", "", "/bin/a"),
			of("Container", "x", "tools:1", "/bin/a"), "it was made with /bin/a, and this is Container/x"},
		{"strangers", made("Container", "a", "", ""), of("Container", "b", "", ""),
			"it was made with Container/a, and this is Container/b"},
	}
	for user, want := range map[string]string{
		"101:101,4,5": "", "": "", "0:0": "it was made as user 0:0, and Command/a runs as 101:101",
	} {
		v, o := made("Command", "a", "", "/bin/a"), of("Command", "a", "", "/bin/a")
		v.User, o.Containers[0].Granted = user, &trace.Granted{User: "101:101"}
		if _, why := v.Belongs(o); why != want {
			t.Errorf("user %q: %q, want %q", user, why, want)
		}
	}
	for _, tt := range tests {
		ok, why := tt.v.Belongs(tt.o)
		if ok != (tt.want == "") || why != tt.want {
			t.Errorf("%s: %v %q, want %q", tt.name, ok, why, tt.want)
		}
	}
}

func TestSynthesizeVerified(t *testing.T) {
	const used = " was used while recording, "
	tests := []struct {
		name   string
		change func(*Verified)
		least  bool
		want   []string
		notes  []string // what each of the notes on single capabilities begins with
	}{
		{"shown", nil, false, []string{"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"}, []string{
			"SETGID" + used + "but the workload passes without it: it stays",
			"DAC_OVERRIDE is inferred, and was not tried",
		}},
		{"the least", nil, true, []string{"CHOWN", "DAC_OVERRIDE", "SETUID"}, []string{
			"SETGID is left out: it was used",
			"DAC_OVERRIDE is inferred, and was not tried",
		}},
		{"necessary though only refused in the recording", func(v *Verified) {
			v.Verdicts = append(v.Verdicts, Trial{Name: "SYS_RESOURCE", Necessary: true})
			v.Least = append(v.Least, "SYS_RESOURCE")
		}, false, []string{"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID", "SYS_RESOURCE"}, []string{
			"SETGID", "SYS_RESOURCE is added: the experiment fails without it, though the recording shows no " +
				"need (denied: refused, and prlimit64 failed with EPERM)", "DAC_OVERRIDE",
		}},
		{"spare alone, but not with another", func(v *Verified) { v.Least = append(v.Least, "SETGID") }, true,
			[]string{"CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"}, []string{
				"SETGID can be spared, but not together", "DAC_OVERRIDE",
			}},
		{"another alternative than the one granted", func(v *Verified) {
			v.Verdicts = append(v.Verdicts, Trial{Name: "DAC_OVERRIDE"})
		}, true, []string{"CHOWN", "SETUID"}, []string{"SETGID is left out", "DAC_OVERRIDE is left out"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := verified()
			if tt.change != nil {
				tt.change(&v)
			}
			s, err := Synthesize(nginx(), Options{Verified: &v, Least: tt.least})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, s.Add); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if p := Prove(s, nginx()); !p.OK() {
				t.Errorf("does not hold: %v", p.Failed)
			}
			notes := verifiedNotes(s, inferredOf(s.Facts, map[string]bool{
				"CHOWN": true, "DAC_OVERRIDE": true, "SETGID": true, "SETUID": true,
			}))
			wantPrefixes(t, notes, append([]string{"verified with Container/web, with the probe curl web: "}, tt.notes...))
		})
	}
}

func wantPrefixes(t *testing.T, notes, want []string) {
	t.Helper()
	if len(notes) != len(want) {
		t.Fatalf("%q, want %q", notes, want)
	}
	for i := range want {
		if !strings.HasPrefix(notes[i], want[i]) {
			t.Errorf("note %d is %q, want %q", i, notes[i], want[i])
		}
	}
}

// TestProveVerified takes away what no experiment excuses.
func TestProveVerified(t *testing.T) {
	v := verified()
	s, err := Synthesize(nginx(), Options{Verified: &v, Least: true})
	if err != nil {
		t.Fatal(err)
	}
	p := Prove(s, nginx())
	const want = "10 kinds of check replayed under 3 capabilities: each is granted or not needed, " +
		"1 of them by the experiment alone"
	if p.Summary != want {
		t.Errorf("%q, want %q", p.Summary, want)
	}
	for _, gone := range []string{"CHOWN", "DAC_OVERRIDE", "SETUID"} {
		less := s
		less.Add = nil
		for _, name := range s.Add {
			if name != gone {
				less.Add = append(less.Add, name)
			}
		}
		if p := Prove(less, nginx()); p.OK() {
			t.Errorf("holds without %s", gone)
		}
	}
	s.Verified = nil
	if p := Prove(s, nginx()); p.OK() {
		t.Error("holds without the experiment it rests on")
	}
}

// TestLeastCloses lets an experiment decide what the trace leaves open.
func TestLeastCloses(t *testing.T) {
	o := nginx()
	o.Containers[0].Granted.NoNewPrivileges = nil
	v := verified()
	v.Restrictions = []Restriction{{Name: TriedNoNewPrivileges, Passed: true}}
	for least, want := range map[bool]bool{false: false, true: true} {
		s, err := Synthesize(o, Options{Verified: &v, Least: least})
		if err != nil {
			t.Fatal(err)
		}
		if closed := s.Security.AllowPrivilegeEscalation != nil; closed != want {
			t.Errorf("least %v: escalation is decided: %v", least, closed)
		}
	}
}

func TestVerifiedComments(t *testing.T) {
	v := verified()
	s, err := Synthesize(nginx(), Options{Verified: &v})
	if err != nil {
		t.Fatal(err)
	}
	text, err := ContainerYAML(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"- CHOWN # chown by nginx; verified: necessary\n", "- SETGID # setgid by nginx; verified: not needed\n",
		"- DAC_OVERRIDE # openat by nginx\n", "- ALL\n",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
