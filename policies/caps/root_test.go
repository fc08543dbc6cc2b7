package caps

import (
	"strings"
	"testing"

	"advisor/policies"
	"advisor/policies/manifest"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// written is nginx with file facts: what was made at each path of the root file
// system, and on a volume.
func written(paths ...string) policies.Observation {
	o := nginx()
	o.FileEvidence = policies.FileEvidence{Recorded: true, Complete: trace.CompleteTrue}
	add := func(access trace.Access, path, mount string) {
		o.Files = append(o.Files, policies.File{
			Access: access, Path: path, Place: trace.Place{Mount: mount, FS: "overlay"},
			Seen: policies.Seen{First: trace.Sighting{Comm: "nginx"}},
		})
	}
	for _, path := range paths {
		add(trace.AccessCreate, path, "/")
	}
	add(trace.AccessRead, "/etc/passwd", "/")
	add(trace.AccessMap, "/lib/libc.so.6", "/")
	add(trace.AccessDevice, "/dev/null", "/dev")
	add(trace.AccessWrite, "/data/file", "/data")
	return o
}

func doubtful(o policies.Observation) policies.Observation {
	o.FileEvidence.Complete, o.FileEvidence.Reasons = trace.CompleteUnknown, []string{"no one knows"}
	return o
}

func TestReadOnlyRoot(t *testing.T) {
	const flag = "--security-opt=no-new-privileges"
	tests := []struct {
		name  string
		o     policies.Observation
		flags string // of docker, behind the last that is always there
		yaml  string // what the YAML has to hold
		not   string // and what not
		note  string // one of the notes
	}{
		{"nobody looked", nginx(), "", "securityContext:", "readOnly", ""},
		{"nothing written", written(), "--read-only", "readOnlyRootFilesystem: true # nothing was written to it", "#  ", ""},
		{"scratch", written("/run/nginx.pid", "/run/lock/x", "/tmp/a/b"), "--read-only --tmpfs=/run --tmpfs=/tmp/a",
			"# With an emptyDir mounted at /run, /tmp/a, readOnlyRootFilesystem: true is possible.\n", "  readOnly",
			"the root file system is written to in /run, /tmp/a; with an emptyDir or a tmpfs at each it can be read-only"},
		{"data", written("/run/nginx.pid", "/var/lib/db/x"), "", "securityContext:", "readOnly",
			"the root file system is written to in /run, /var/lib/db; to be read-only it takes a volume at each, and " +
				"at /var/lib/db one that keeps what is written and holds what the image has there"},
		{"its root directory", written("/x", "/run/y"), "", "securityContext:", "readOnly",
			"the root file system is written to in /; to be read-only it takes a volume at each, and at / one " +
				"that keeps what is written and holds what the image has there"},
		{"incomplete", doubtful(written()), "", "securityContext:", "readOnly",
			"whether the root file system could be read-only is not known: no one knows"},
		{"incomplete and written", doubtful(written("/run/x")), "", "securityContext:", "readOnly",
			"the root file system is written to in /run, and perhaps elsewhere: no one knows"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Synthesize(tt.o, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if p := Prove(s, tt.o); !p.OK() {
				t.Errorf("does not hold: %v", p.Failed)
			}
			_, flags, _ := strings.Cut(strings.Join(RunFlags(s), " "), flag)
			if got := strings.TrimSpace(flags); got != tt.flags {
				t.Errorf("flags %q, want %q", got, tt.flags)
			}
			text, err := ContainerYAML(s)
			if err != nil || !strings.Contains(string(text), tt.yaml) || strings.Contains(string(text), tt.not) {
				t.Errorf("%v\n%s", err, text)
			}
			if notes := strings.Join(s.Notes, "\n"); tt.note != "" && !strings.Contains(notes, tt.note) ||
				tt.note == "" && strings.Contains(notes, "root file system") {
				t.Errorf("notes: %s", notes)
			}
		})
	}
}

// TestTouched counts in what lies nobody knows where.
func TestTouched(t *testing.T) {
	o := doubtful(written("/run/x"))
	for _, path := range []string{"/var/lib/web/a", "/run/y/z", "relative/x"} {
		o.Files = append(o.Files, policies.File{
			Access: trace.AccessCreate, Path: path, Place: trace.Place{Origin: trace.OriginUnknown},
		})
	}
	s, err := Synthesize(o, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/run", "/var/lib/web"}, s.Root.Touched()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s.Security.sealed() {
		t.Error("read-only, though nobody knows what is written to")
	}
}

func TestComposeReadOnly(t *testing.T) {
	for want, o := range map[string]policies.Observation{
		"    read_only: true\n": written(), "    read_only: true\n    tmpfs:\n      - /run\n": written("/run/x"),
	} {
		s, _ := Synthesize(o, Options{Engine: "docker"})
		if text, err := Compose(s); err != nil || !strings.HasSuffix(string(text), want) {
			t.Errorf("%v\n%s", err, text)
		}
	}
}

// TestProveRoot seals roots that were written to.
func TestProveRoot(t *testing.T) {
	tests := []struct {
		name string
		o    policies.Observation
		sec  Security
		want bool
	}{
		{"never written to", written(), Security{ReadOnlyRootFilesystem: new(true)}, true},
		{"written to", written("/run/x"), Security{ReadOnlyRootFilesystem: new(true)}, false},
		{"written to below the tmpfs", written("/run/x"), Security{Tmpfs: []string{"/run"}}, true},
		{"written to beside the tmpfs", written("/runner/x"), Security{Tmpfs: []string{"/run"}}, false},
		{"never looked", nginx(), Security{ReadOnlyRootFilesystem: new(true)}, false},
		{"not all seen", doubtful(written()), Security{ReadOnlyRootFilesystem: new(true)}, false},
	}
	for _, tt := range tests {
		s, _ := Synthesize(tt.o, Options{})
		s.Security.ReadOnlyRootFilesystem, s.Security.Tmpfs = tt.sec.ReadOnlyRootFilesystem, tt.sec.Tmpfs
		if p := Prove(s, tt.o); p.OK() != tt.want {
			t.Errorf("%s: holds %v: %v", tt.name, p.OK(), p.Failed)
		}
	}
}

const sealedPod = `kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    securityContext:
      readOnlyRootFilesystem: true
    volumeMounts:
    - {name: run, mountPath: /run/}
    - {name: conf, mountPath: /etc/web, readOnly: true}
apiVersion: v1
`

const sealedService = "services:\n  web:\n    image: web\n    read_only: true\n"

func TestCheckRoot(t *testing.T) {
	open := strings.Replace(sealedPod, "true\n    volume", "false\n    volume", 1)
	const missing, writable = "missing caps/read-only-root", "unprotected caps/writable-root"
	tests := []struct {
		name, text string
		o          policies.Observation
		want       string
	}{
		{"sealed, nothing written", sealedPod, written(), ""},
		{"sealed, written to a volume", sealedPod, written("/run/web/pid"), ""},
		{"sealed, written to", sealedPod, written("/run/pid", "/var/lib/x"), missing},
		{"sealed, written below a mount that cannot be", sealedPod, written("/etc/web/x"), missing},
		{"sealed, written to, and perhaps elsewhere", sealedPod, doubtful(written("/var/lib/x")), missing},
		{"open, nothing written", open, written(), writable},
		{"open, written to a volume", open, written("/run/pid"), writable},
		{"open, written to", open, written("/var/lib/x"), ""},
		{"open, not all seen", open, doubtful(written()), ""},
		{"open, nobody looked", open, nginx(), ""},
		{"sealed, nobody looked", sealedPod, nginx(), ""},
		{"sealed compose service", "services: {web: {read_only: true, tmpfs: /run}}", written("/run/x"), ""},
		{"sealed compose service, volumes", "services: {web: {read_only: true, volumes: [a:/run, {target: /var/lib/x}, " +
			"b:/srv:ro]}}", written("/run/x", "/var/lib/x/y"), ""},
		{"sealed compose service, read-only volume", "services: {web: {read_only: true, volumes: [b:/srv:ro]}}",
			written("/srv/x"), missing},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, f := range Check(parse(t, tt.text)[0], tt.o, "") {
				if f.Subject == "readOnlyRootFilesystem" {
					got = append(got, string(f.Class)+" "+f.Rule)
					if f.Position.Line == 0 || f.Class == policies.Missing && len(f.Evidence) == 0 {
						t.Errorf("%+v", f)
					}
				}
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestRunLineMounts(t *testing.T) {
	tests := []struct {
		line string
		want []string
	}{
		{"docker run --read-only --tmpfs /run:size=1m --tmpfs=/a:ro -v data:/data -v conf:/etc/x:ro,z web",
			[]string{"/run", "/data"}},
		{"docker run --mount type=tmpfs,destination=/b --mount type=bind,src=/s,dst=/c,readonly web", []string{"/b"}},
		{"podman run --read-only web", []string{"/run", "/tmp", "/var/tmp"}},
		{"podman run --read-only --read-only-tmpfs=false web", nil},
		{"podman run web", nil},
	}
	for _, tt := range tests {
		list, err := ParseRun("x.sh", []byte(tt.line))
		if err != nil || len(list) != 1 {
			t.Fatalf("%s: %v, %v", tt.line, list, err)
		}
		if diff := cmp.Diff(tt.want, list[0].Writable); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.line, diff)
		}
	}
}

// TestFitRoot edits manifests until the check has nothing to say of the root.
func TestFitRoot(t *testing.T) {
	open := strings.Replace(sealedPod, "true\n    volume", "false\n    volume", 1)
	tests := []struct {
		name, text string
		o          policies.Observation
		want       string
	}{
		{"opened", sealedPod, written("/var/lib/x"), "readOnlyRootFilesystem: false # written to in /var/lib\n"},
		{"sealed", open, written("/run/pid"), "readOnlyRootFilesystem: true # nothing was written to it\n"},
		{"a service gets a tmpfs", sealedService, written("/run/pid"), "    tmpfs:\n      - /run\n"},
		{"a service gets one more", sealedService + "    tmpfs: /tmp\n", written("/run/pid", "/tmp/x"),
			"    tmpfs:\n      - /tmp\n      - /run\n"},
		{"a service is opened", sealedService, written("/run/pid", "/srv/x"), "    read_only: false\n"},
		{"left alone", sealedPod, written("/run/pid"), "readOnlyRootFilesystem: true\n"},
	}
	for _, tt := range tests {
		objects, errs := manifest.Read("web.yaml", []byte(tt.text))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		s, _ := Synthesize(tt.o, Options{})
		declared := parse(t, tt.text)[0]
		s.Workload = declared.Workload
		FitRoot(&s, tt.o, declared)
		text, err := Edit([]byte(tt.text), objects[0], s)
		if err != nil || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s: %v\n%s", tt.name, err, text)
			continue
		}
		for _, f := range Check(parse(t, string(text))[0], tt.o, "") {
			if f.Subject == "readOnlyRootFilesystem" {
				t.Errorf("%s: still %s", tt.name, f.Message)
			}
		}
	}
}
