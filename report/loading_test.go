package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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

// TestLinkedDirectory holds that a directory may be named by a link to it.
func TestLinkedDirectory(t *testing.T) {
	inDir(t, map[string]string{"k8s/web.yaml": onePod})
	if err := os.Symlink("k8s", "current"); err != nil {
		t.Skip(err)
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
