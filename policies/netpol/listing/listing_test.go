package listing

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"advisor/policies/manifest"
	"advisor/policies/netpol"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const workloads = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: c}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  selector: {matchLabels: {app: cart}}
  template: {metadata: {labels: {app: cart}}, spec: {containers: [{name: c}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  selector: {matchLabels: {app: db}}
  template: {metadata: {labels: {app: db}}, spec: {containers: [{name: c}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]
    ports: [{port: 5432}]
`

const oldCart = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  ingress:
  - from: [{podSelector: {}}]
    ports: [{port: 80, endPort: 90}, {port: 53, protocol: UDP}]
  - from: [{ipBlock: {cidr: 192.0.2.0/24, except: [192.0.2.64/26]}}]
`

const newCart = `---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  podSelector: {matchLabels: {app: cart}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from: [{podSelector: {}}]
    ports: [{port: 80}]
  - from: [{namespaceSelector: {}}]
    ports: [{port: 443}]
`

func read(t *testing.T, yaml string) netpol.Set {
	t.Helper()
	objects, errs := manifest.Read("m.yaml", []byte(yaml))
	inv, more := netpol.NewInventory(objects, nil)
	policies, invalid := netpol.Parse(objects, "")
	for _, err := range append(append(errs, more...), invalid...) {
		t.Fatal(err)
	}
	return netpol.Set{Policies: policies, Inventory: inv}
}

func TestGolden(t *testing.T) {
	before, after := read(t, workloads+oldCart), read(t, workloads+newCart)
	connections := netpol.Connections(before, netpol.ConnectionsOptions{Exposure: true})
	changes := netpol.Compare(before, after, netpol.CompareOptions{})
	for _, format := range Formats() {
		text, err := Connections(format, connections)
		golden(t, "connections."+format, text, err)
		text, err = Changes(format, changes)
		golden(t, "changes."+format, text, err)
	}
}

func golden(t *testing.T, name string, got []byte, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

// TestWellFormed holds that markup stays markup whatever names are in it.
func TestWellFormed(t *testing.T) {
	set := read(t, strings.ReplaceAll(workloads, "name: web", `name: "w\"<b>|&"`))
	connections := netpol.Connections(set, netpol.ConnectionsOptions{})
	svg, err := Connections("svg", connections)
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(strings.NewReader(string(svg))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("svg: %v", err)
		}
	}
	text, err := Connections("json", connections)
	if err != nil || !json.Valid(text) {
		t.Errorf("json: %v\n%s", err, text)
	}
	if empty, _ := Connections("json", nil); string(empty) != "[]\n" {
		t.Errorf("empty json: %q", empty)
	}
	if _, err := Changes("png", nil); err == nil {
		t.Error("png: no error")
	}
}
