package manifest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networking "k8s.io/api/networking/v1"
)

const twoDocuments = `# a comment
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: a
spec:
  podSelector: {}
  ingres:
  - from: []
---
kind: List
apiVersion: v1
items:
- apiVersion: v1
  kind: Service
  metadata: {name: s, namespace: shop}
---
broken: [
--- # last
kind: Namespace
metadata: {name: last}
`

func TestRead(t *testing.T) {
	objects, errs := Read("x.yaml", []byte(twoDocuments))
	var got []string
	for _, o := range objects {
		got = append(got, o.Kind+" "+o.Namespace+"/"+o.Name+" "+o.Position().String())
	}
	want := []string{
		"NetworkPolicy /a x.yaml:2:1",
		"Service shop/s x.yaml:14:3",
		"Namespace /last x.yaml:20:1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "x.yaml:1") {
		t.Errorf("errors %v, want one in the third document", errs)
	}
}

func TestDecodeIsStrict(t *testing.T) {
	objects, _ := Read("x.yaml", []byte(twoDocuments))
	var policy networking.NetworkPolicy
	errs := objects[0].Decode(&policy)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), `x.yaml:8:3: unknown field "spec.ingres"`) {
		t.Errorf("got %v, want the misspelt key of line 8", errs)
	}
}

func TestPosition(t *testing.T) {
	objects, _ := Read("x.yaml", []byte(twoDocuments))
	for _, tt := range []struct {
		want string
		path []any
	}{
		{"x.yaml:9:5", []any{"spec", "ingres", 0}},
		{"x.yaml:8:3", []any{"spec", "ingres"}},
		{"x.yaml:6:1", []any{"spec", "egress", 3}},
	} {
		if got := objects[0].Position(tt.path...).String(); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.path, got, tt.want)
		}
	}
}

func TestTemplate(t *testing.T) {
	_, errs := Read("x.yaml", []byte("kind: {{ .Values.kind }}\n  a: b\n"))
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "render it first") {
		t.Errorf("got %v", errs)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(twoDocuments))
	f.Add([]byte("a: &x [*x]\n"))
	f.Add([]byte(`{"kind":"List","items":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, _ := Read("f", data)
		for _, o := range objects {
			var into networking.NetworkPolicy
			o.Decode(&into)
			o.Position("spec", "ingress", 0)
		}
	})
}
