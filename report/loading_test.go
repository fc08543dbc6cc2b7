package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"advisor/policies/seccomp"
	"advisor/report"
)

// inDir writes files into a directory of their own, which the test then works in.
func inDir(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

const onePod = `apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  containers:
  - name: main
    image: web
`

// TestFilesAreReadOnce holds that a file counts once, whatever it is called and in
// whatever order, and goes by the same name then.
func TestFilesAreReadOnce(t *testing.T) {
	inDir(t, map[string]string{"k8s/web.yaml": onePod})
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, paths := range [][]string{
		{"k8s/web.yaml", "./k8s/web.yaml", "k8s", here + "/k8s"},
		{here + "/k8s", "k8s", "./k8s/web.yaml", "k8s/web.yaml"},
		{here + "/k8s"},
	} {
		m, err := report.LoadManifests(paths, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Declared) != 1 || m.Declared[0].Position.File != "k8s/web.yaml" {
			t.Errorf("%v: %d containers: %v", paths, len(m.Declared), m.Declared)
		}
	}
}

// TestTracesAreReadOnce is the same for traces.
func TestTracesAreReadOnce(t *testing.T) {
	inDir(t, map[string]string{"trace.log": `{"type":"header","schema":"advisor.trace/v1","node":"n","boot":"b","start":"2026-01-02T03:04:00Z"}
{"type":"counts","container":"c","counts":[{"fact":"syscall/x86_64/read","count":2}]}
{"type":"syscall","container":"c","phase":"run","arch":"x86_64","nr":0,"name":"read"}
`})
	seen, err := report.Observe([]string{"trace.log", "./trace.log"}, nil)
	if err != nil || len(seen.Traces) != 1 || seen.Observations[0].Evidence.Traces != 1 {
		t.Fatalf("%v, %v", seen, err)
	}
	if n := seen.Observations[0].Syscalls[0].Count; n != 2 {
		t.Errorf("counted %d times, want 2", n)
	}
}

// TestLinkedDirectory holds that a directory may be named by a link to it.
func TestLinkedDirectory(t *testing.T) {
	inDir(t, map[string]string{"k8s/web.yaml": onePod})
	if err := os.Symlink("k8s", "current"); err != nil {
		t.Fatal(err)
	}
	m, err := report.LoadManifests([]string{"current"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Declared) != 1 || m.Declared[0].Position.File != "current/web.yaml" {
		t.Errorf("%d containers: %v", len(m.Declared), m.Declared)
	}
}

// utf16 is a text as PowerShell's ">" writes it.
func utf16(text string) string {
	var b strings.Builder
	b.WriteString("\xff\xfe")
	for _, c := range []byte(text) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

// TestNoDocumentIsLostInUTF16 holds that a file is not read in part.
func TestNoDocumentIsLostInUTF16(t *testing.T) {
	two := onePod + "---\n" + strings.Replace(onePod, "name: web", "name: db", 1)
	inDir(t, map[string]string{"pods.yaml": utf16(two)})
	m, err := report.LoadManifests([]string{"pods.yaml"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Declared) == 2 {
		return
	}
	if len(m.Declared) != 0 || len(m.Refused) != 1 || !strings.Contains(m.Refused[0].Subject, "UTF-8") {
		t.Errorf("%d of 2 pods, and %v", len(m.Declared), m.Refused)
	}
}

// TestForeignKinds: other APIs have kinds of the same names.
func TestForeignKinds(t *testing.T) {
	inDir(t, map[string]string{"jobs.yaml": `apiVersion: batch.volcano.sh/v1alpha1
kind: Job
metadata: {name: train, namespace: shop}
spec:
  minAvailable: 1
  tasks:
  - {replicas: 1, name: t, template: {spec: {containers: [{name: c, image: i}]}}}
---
apiVersion: apps.kruise.io/v1beta1
kind: StatefulSet
metadata: {name: db, namespace: shop}
spec:
  serviceName: db
  updateStrategy: {rollingUpdate: {podUpdatePolicy: InPlaceIfPossible}}
  template: {spec: {containers: [{name: c, image: i}]}}
`})
	m, err := report.LoadManifests([]string{"jobs.yaml"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Declared)+len(m.Refused) > 0 {
		t.Errorf("declared %v, refused %v", m.Declared, m.Refused)
	}
	var said []string
	for _, p := range m.Problems {
		said = append(said, p.String())
	}
	if diff := cmp.Diff([]string{"not used: 1 Job (batch.volcano.sh), 1 StatefulSet (apps.kruise.io)"}, said); diff != "" {
		t.Error(diff)
	}
}

// localPod names a profile; profileOf lets calls pass.
func localPod(name, profile string) string {
	return strings.Replace(onePod, "name: web", "name: "+name, 1) +
		"    securityContext: {seccompProfile: {type: Localhost, localhostProfile: " + profile + "}}\n"
}

func profileOf(calls string) string {
	return `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [{"names": [` + calls + `], "action": "SCMP_ACT_ALLOW"}]}`
}

// TestComparesWithItself holds that a directory is equal to itself, whatever stands
// in it twice.
func TestComparesWithItself(t *testing.T) {
	inDir(t, map[string]string{
		"dev/web.yaml": localPod("web", "web.json"), "dev/web.json": profileOf(`"read"`),
		"prod/web.yaml": localPod("web", "web.json"), "prod/web.json": profileOf(`"read", "ptrace"`),
		"a/loose.json": profileOf(`"read"`), "b/loose.json": profileOf(`"read", "bpf"`),
	})
	m, err := report.LoadManifests([]string{"."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	list, err := report.CompareManifests(m, m, report.Comparison{Kinds: report.Kinds()})
	if err != nil || len(list) > 0 {
		t.Errorf("%v, %v", list, err)
	}
}

// TestCompareSeesEach holds that a change in one of several of a name is seen, and
// that what a change of words hides is, too.
func TestCompareSeesEach(t *testing.T) {
	base := map[string]string{
		"dev/web.yaml": localPod("web", "profiles/web.json"), "dev/web.json": profileOf(`"read"`),
		"prod/web.yaml": localPod("web", "profiles/web.json"), "prod/web.json": profileOf(`"read", "ptrace"`),
	}
	more := "    securityContext: {capabilities: {add: [ALL]}}\n"
	for _, tt := range []struct {
		name, file, old, new string
		want                 string
	}{
		{"a profile of one", "dev/web.json", `"read"`, `"read", "bpf"`, "looser bpf ERRNO ENOSYS → ALLOW"},
		{"of the other", "prod/web.json", `, "ptrace"`, "", "tighter ptrace ALLOW → ERRNO ENOSYS"},
		{"a capability of one", "dev/web.yaml", "    securityContext: {", "    securityContext: {capabilities: {add: [BPF]}, ",
			"looser BPF not granted → granted"},
		{"the profile goes", "dev/web.json", "*", "", "changed profile profiles/web.json → profiles/web.json (not among the manifests)"},
		{"privileged, with all there is", "prod/db.yaml", "capabilities: {add: [ALL]}", "privileged: true", "looser privileged no → yes"},
	} {
		var sides [2]report.Manifests
		for i := range sides {
			files := map[string]string{"prod/db.yaml": strings.Replace(onePod, "name: web", "name: db", 1) + more}
			for name, text := range base {
				files[name] = text
			}
			switch {
			case i == 1 && tt.old == "*":
				delete(files, tt.file)
				delete(files, "prod/web.json")
			case i == 1:
				files[tt.file] = strings.Replace(files[tt.file], tt.old, tt.new, 1)
			}
			inDir(t, files)
			m, err := report.LoadManifests([]string{"."}, nil)
			if err != nil {
				t.Fatal(err)
			}
			sides[i] = m
		}
		list, err := report.CompareManifests(sides[0], sides[1], report.Comparison{Kinds: report.Kinds()})
		found := false
		for _, d := range list {
			found = found || string(d.Effect)+" "+d.Subject+" "+d.Change == tt.want
		}
		if err != nil || !found || tt.old != "*" && len(list) != 1 {
			t.Errorf("%s: %v, %v, want %s", tt.name, list, err, tt.want)
		}
	}
}

// TestProfileOfAManifest holds which of several files of a name is meant.
func TestProfileOfAManifest(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  string // part of the finding, empty for none
	}{
		{"the nearest", map[string]string{"a/web.yaml": localPod("web", "p.json"),
			"a/p.json": profileOf(`"read"`), "b/p.json": profileOf(`"write"`)}, ""},
		{"the one in the folder that is named", map[string]string{"web.yaml": localPod("web", "b/p.json"),
			"a/p.json": profileOf(`"read"`), "b/p.json": profileOf(`"write"`)}, ""},
		{"any of two", map[string]string{"web.yaml": localPod("web", "c/p.json"),
			"a/p.json": profileOf(`"read"`), "b/p.json": profileOf(`"write"`)}, "several files may be the profile: a/p.json, b/p.json"},
		{"none", map[string]string{"web.yaml": localPod("web", "q.json"), "a/p.json": profileOf(`"read"`)}, "not among the manifests"},
	} {
		inDir(t, tt.files)
		m, err := report.LoadManifests([]string{"."}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, err := report.Diff(report.Observed{}, m, report.Comparison{Kinds: []string{report.KindSeccomp}})
		if r == nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range r.Findings {
			if f.Rule == report.RuleUnknownProfile {
				got = f.Message
			}
		}
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestCompareElsewhere holds that profiles which are equal for most are compared
// where they are not: with a capability, on an older kernel, on another machine.
func TestCompareElsewhere(t *testing.T) {
	rule := func(conditions string) string {
		return `{"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, ` + conditions + `, "action": "SCMP_ACT_ALLOW"}]}`
	}
	const arm = `"archMap": [{"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": [`
	for _, tt := range []struct{ name, old, new, want string }{
		{"a capability", rule(`"syscalls": [{"names": ["bpf"], "includes": {"caps": ["CAP_BPF"]}`),
			rule(`"syscalls": [{"names": ["bpf"], "includes": {"caps": ["CAP_SYS_ADMIN"]}`), "with CAP_BPF"},
		{"a kernel", rule(`"syscalls": [{"names": ["ptrace"], "includes": {"minKernel": "4.8"}`),
			rule(`"syscalls": [{"names": ["ptrace"], "includes": {"minKernel": "5.0"}`), "on Linux 4.8"},
		{"a machine", rule(arm + `]}], "syscalls": [{"names": ["read"]`),
			rule(arm + `"SCMP_ARCH_ARM"]}], "syscalls": [{"names": ["read"]`), "on aarch64"},
		{"runc's stub", profileOf(`"read"`), profileOf(`"read", "clone3"`), "ERRNO ENOSYS → ALLOW"},
		{"runc's stub and EPERM", strings.Replace(profileOf(`"read", "bpf"`), "38", "1", 1),
			strings.Replace(profileOf(`"read", "bpf", "epoll_pwait2"`), "38", "1", 1), "ERRNO ENOSYS → ERRNO EPERM under runc, among them clone3"},
	} {
		var sides [2]report.Manifests
		for i, text := range []string{tt.old, tt.new} {
			inDir(t, map[string]string{"p.json": text})
			m, err := report.LoadManifests([]string{"p.json"}, nil)
			if err != nil || len(m.Refused) > 0 {
				t.Fatal(err, m.Refused)
			}
			sides[i] = m
		}
		list, err := report.CompareManifests(sides[0], sides[1], report.Comparison{Kinds: report.Kinds()})
		found := false
		for _, d := range list {
			found = found || strings.Contains(d.Change, tt.want)
		}
		if err != nil || !found || len(list) > 8 {
			t.Errorf("%s: %d: %v, %v, want %s", tt.name, len(list), list, err, tt.want)
		}
	}
}

// TestAnnotatedProfile holds that a profile in an annotation is not taken for one.
func TestAnnotatedProfile(t *testing.T) {
	for key, want := range map[string]bool{
		"seccomp.security.alpha.kubernetes.io/pod":             true,
		"container.seccomp.security.alpha.kubernetes.io/main":  true,
		"container.seccomp.security.alpha.kubernetes.io/other": false,
	} {
		inDir(t, map[string]string{"web.yaml": strings.Replace(onePod, "namespace: shop",
			"namespace: shop, annotations: {"+key+": runtime/default}", 1)})
		m, err := report.LoadManifests([]string{"."}, nil)
		if err != nil {
			t.Fatal(err)
		}
		r, _ := report.Diff(report.Observed{}, m, report.Comparison{Kinds: []string{report.KindSeccomp}})
		said := false
		for _, f := range r.Findings {
			said = said || f.Rule == seccomp.RuleUnprotected && strings.Contains(f.Message, key)
		}
		if said != want {
			t.Errorf("%s: told %t, want %t: %v", key, said, want, r.Findings)
		}
	}
}

// TestPrivilegedWithAProfile: docker loads a profile that is named, the kubelet none.
func TestPrivilegedWithAProfile(t *testing.T) {
	inDir(t, map[string]string{
		"compose.yaml": "services:\n  web: {privileged: true, security_opt: [\"seccomp:web.json\"]}\n  db: {privileged: true}\n",
		"web.json":     profileOf(`"read"`),
		"pod.yaml":     strings.Replace(localPod("pod", "web.json"), "{seccompProfile", "{privileged: true, seccompProfile", 1),
	})
	m, err := report.LoadManifests([]string{"."}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, _ := report.Diff(report.Observed{}, m, report.Comparison{Kinds: []string{report.KindSeccomp}})
	var got []string
	for _, f := range r.Findings {
		if f.Rule == seccomp.RuleUnprotected {
			got = append(got, f.Workload.String())
		}
	}
	if diff := cmp.Diff([]string{"Service/db", "shop/Pod/pod container=main"}, got); diff != "" {
		t.Errorf("without a profile (-want +got)\n%s", diff)
	}
}
