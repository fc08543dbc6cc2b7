package caps

import (
	"strings"
	"testing"

	"advisor/policies"
	"advisor/policies/manifest"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      securityContext:
        runAsNonRoot: true
        runAsUser: 101
      initContainers:
      - name: setup
        image: x
        securityContext:
          runAsUser: 0
          runAsNonRoot: false
      - name: proxy
        image: x
        restartPolicy: Always
      containers:
      - name: server
        image: x
        securityContext:
          allowPrivilegeEscalation: false
          capabilities:
            add: [NET_ADMIN]
            drop:
            - ALL
`

func parse(t *testing.T, text string) []Declared {
	t.Helper()
	objects, errs := manifest.Read("x.yaml", []byte(text))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var list []Declared
	for _, o := range objects {
		found, errs := Parse(o)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		list = append(list, found...)
	}
	return list
}

// say is a declaration in one line.
func say(d Declared) string {
	s, err := Evaluate(d, "")
	if err != nil {
		return d.Workload.String() + " " + err.Error()
	}
	user := s.UserWord()
	return strings.Join([]string{
		d.Workload.String(), d.Role, d.Position.String(), d.at("capabilities").String(), user,
		"add=" + strings.Join(texts(d.Add), "+"), "drop=" + strings.Join(texts(d.Drop), "+"),
		"holds=" + strings.Join(s.Effective, "+"),
	}, " ")
}

func TestParseDeployment(t *testing.T) {
	var got []string
	for _, d := range parse(t, deployment) {
		got = append(got, say(d))
	}
	fourteen := strings.Join(Engines()[0].Defaults, "+")
	want := []string{
		"shop/Deployment/web container=setup init x.yaml:15:9 x.yaml:17:9 root add= drop= holds=" +
			fourteen,
		"shop/Deployment/web container=proxy sidecar x.yaml:20:9 x.yaml:20:9 not root add= drop= holds=",
		"shop/Deployment/web container=server container x.yaml:24:9 x.yaml:28:11 not root " +
			"add=NET_ADMIN drop=ALL holds=",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseKinds(t *testing.T) {
	pod := "{containers: [{name: c, securityContext: {privileged: true}}]}"
	for kind, spec := range map[string]string{
		"Pod":                   "spec: " + pod,
		"PodTemplate":           "template: {spec: " + pod + "}",
		"StatefulSet":           "spec: {template: {spec: " + pod + "}}",
		"DaemonSet":             "spec: {template: {spec: " + pod + "}}",
		"ReplicaSet":            "spec: {template: {spec: " + pod + "}}",
		"ReplicationController": "spec: {template: {spec: " + pod + "}}",
		"Job":                   "spec: {template: {spec: " + pod + "}}",
		"CronJob":               "spec: {jobTemplate: {spec: {template: {spec: " + pod + "}}}}",
	} {
		_, version := podPath(kind)
		if kind == "PodTemplate" {
			version = "v1"
		}
		found := parse(t, "kind: "+kind+"\nmetadata: {name: web}\n"+spec+"\napiVersion: "+version+"\n")
		if len(found) != 1 || !is(found[0].Privileged) || found[0].at("privileged").Line != 3 {
			t.Errorf("%s: %+v", kind, found)
		}
	}
	if found := parse(t, "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"); len(found) > 0 {
		t.Errorf("a service declares %+v", found)
	}
}

// TestParseVersions: what no API server has is refused, and what is another API's is
// none of ours.
func TestParseVersions(t *testing.T) {
	for version, want := range map[string]string{
		"apiVersion: apps/v1\n":                  "",
		"":                                       "x.yaml:2:1: no apiVersion: Deployment is in apps/v1",
		"apiVersion: extensions/v1beta1\n":       `x.yaml:2:1: apiVersion "extensions/v1beta1" is not served, only apps/v1`,
		"apiVersion: v1\n":                       `x.yaml:2:1: apiVersion "v1" is not served, only apps/v1`,
		"apiVersion: apps.example.com/v1beta1\n": "none",
	} {
		objects, _ := manifest.Read("x.yaml", []byte("\n"+version+
			"kind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: c, image: i}]}}}\n"))
		found, errs := Parse(objects[0])
		var got string
		switch {
		case len(found) == 0:
			got = "none"
		case len(errs) > 0:
			got = errs[0].Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", version, got, want)
		}
	}
}

func TestParseCompose(t *testing.T) {
	var got []string
	for _, d := range parse(t, `name: shop
services:
  web:
    image: nginx
    cap_drop: [ALL]
    cap_add:
    - CAP_CHOWN
    user: "33:33"
    security_opt: ["no-new-privileges:true", "seccomp:p.json"]
  db:
    image: db
    user: 0
`) {
		got = append(got, say(d))
	}
	fourteen := strings.Join(Engines()[0].Defaults, "+")
	want := []string{
		"shop/Service/db container x.yaml:10:3 x.yaml:10:3 root add= drop= holds=" + fourteen,
		"shop/Service/web container x.yaml:3:3 x.yaml:6:5 not root add=CAP_CHOWN drop=ALL holds=",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestParseRun(t *testing.T) {
	script := `#!/bin/sh
set -e
docker run -d --rm \
  --cap-drop ALL --cap-add=CHOWN \
  --cap-add "SETUID" --name web -p 80:80 -e A=b nginx --cap-add SYS_ADMIN
sudo podman container run -it --user 1000 --cap-add net_raw,kill \
  --security-opt no-new-privileges busybox sh
docker ps
`
	found, err := ParseRun("run.sh", []byte(script))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range found {
		got = append(got, d.Engine+" "+say(d))
	}
	want := []string{
		"docker Container/web container run.sh:3:8 run.sh:5:13 the image's " +
			"add=CHOWN+SETUID drop=ALL holds=CHOWN+SETUID",
		"podman Image/busybox container run.sh:6:23 run.sh:6:53 not root " +
			"add=net_raw+kill drop= holds=KILL+NET_RAW",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestEvaluatePerEngine(t *testing.T) {
	d := Declared{Role: RoleContainer, User: new(int64(1000)), Add: []Name{{Text: "NET_RAW"}}}
	for engine, want := range map[string]string{"kubernetes": "", "docker": "", "podman": "NET_RAW"} {
		s, err := Evaluate(d, engine)
		if err != nil || strings.Join(s.Effective, " ") != want {
			t.Errorf("%s: %v, %v, want %q", engine, s.Effective, err, want)
		}
	}
	d.AllowPrivilegeEscalation = new(false)
	s, _ := Evaluate(d, "kubernetes")
	if diff := cmp.Diff([]string{"NET_RAW"}, s.Ineffective); diff != "" || s.Has("NET_RAW") {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCompare(t *testing.T) {
	before := parse(t, deployment)
	after := parse(t, strings.Replace(deployment, "            - ALL", "            - all", 1))
	if changes := Compare(before, after, ""); len(changes) > 0 {
		t.Errorf("the same, written otherwise: %v", changes)
	}
	after = parse(t, strings.Replace(deployment,
		"runAsNonRoot: true\n        runAsUser: 101", "{}", 1))
	var got []string
	for _, c := range Compare(before[2:], after[2:], "") {
		got = append(got, c.String())
	}
	w := "shop/Deployment/web container=server: "
	want := []string{w + "NET_ADMIN: nothing -> granted", w + "user: not root -> the image's"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name, sc string
		want     []string
	}{
		{"as synthesized", `{allowPrivilegeEscalation: false, capabilities: {drop: [ALL],
          add: [CHOWN, DAC_OVERRIDE, SETGID, SETUID]}}`, []string{
			"unknown caps/denied SYS_RESOURCE",
		}},
		{"nothing said", `{allowPrivilegeEscalation: false}`, []string{
			"unprotected caps/not-dropped ALL", "unknown caps/denied SYS_RESOURCE",
		}},
		{"too little and too much", `{allowPrivilegeEscalation: false, capabilities: {drop: [ALL],
          add: [SETGID, SETUID, NET_ADMIN]}}`, []string{
			"missing caps/missing CHOWN", "missing caps/missing DAC_READ_SEARCH or DAC_OVERRIDE",
			"excess caps/unused NET_ADMIN", "unknown caps/denied SYS_RESOURCE",
		}},
		{"a port", `{allowPrivilegeEscalation: false, capabilities: {drop: [ALL],
          add: [CHOWN, DAC_OVERRIDE, SETGID, SETUID, NET_BIND_SERVICE]}}`, []string{
			"unknown caps/denied SYS_RESOURCE", "unknown caps/uncertain NET_BIND_SERVICE",
		}},
		{"refused", `{capabilities: {drop: [ALL], add: [CAP_CHOWN]}}`, []string{
			"invalid caps/refused capabilities",
		}},
		{"contradiction", `{privileged: true, allowPrivilegeEscalation: false}`, []string{
			"invalid caps/refused allowPrivilegeEscalation", "unprotected caps/privileged privileged",
		}},
		{"both alternatives", `{allowPrivilegeEscalation: false, capabilities: {drop: [ALL],
          add: [CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, SETGID, SETUID, SYS_RESOURCE]}}`, []string{
			"excess caps/unused DAC_READ_SEARCH", "excess caps/unused SYS_RESOURCE",
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: web\n"+
				"    securityContext: "+tt.sc+"\n")[0]
			var got []string
			for _, f := range Check(d, nginx(), "") {
				got = append(got, strings.Join([]string{string(f.Class), f.Rule, f.Subject}, " "))
				if f.Position.Line == 0 || f.Message == "" {
					t.Errorf("no place or message: %+v", f)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestCheckUnobserved(t *testing.T) {
	d := parse(t, deployment)[2]
	found := Check(d, policies.Observation{}, "")
	if len(found) != 1 || found[0].Rule != RuleIneffective || found[0].Position.Line != 29 {
		t.Errorf("%+v", found)
	}
}

func TestStandings(t *testing.T) {
	o := nginx()
	o.Workload = policies.Workload{
		Namespace: "shop", Kind: "Deployment", Name: "web", Container: "server",
	}
	o.Capabilities = nil
	o.Containers[0].Granted = &trace.Granted{
		User: "101", NoNewPrivileges: new(true), Seccomp: "sha256:1",
	}
	s, err := Synthesize(o, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Standings(parse(t, deployment), []Synthesis{s})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0].Today.Level != Privileged || got[0].Could.Level != Baseline {
		t.Errorf("%+v", got)
	}
	want := `non-default capabilities: container "server" must not include "NET_ADMIN" in ` +
		`securityContext.capabilities.add`
	if diff := cmp.Diff([]string{want}, got[0].Today.Blocks); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(deployment))
	f.Add([]byte("services: {a: {cap_add: [ALL], user: 1.5, security_opt: [x]}}"))
	f.Add([]byte("kind: ReplicationController\nspec: {}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		objects, _ := manifest.Read("f", data)
		for _, o := range objects {
			list, _ := Parse(o)
			for _, d := range list {
				Check(d, nginx(), "")
			}
			if changes := Compare(list, list, ""); len(changes) > 0 {
				t.Errorf("differs from itself: %v", changes)
			}
		}
	})
}

func FuzzParseRun(f *testing.F) {
	f.Add([]byte("docker run --cap-add X"))
	f.Add([]byte("podman container"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, _ := ParseRun("f", data)
		for _, d := range list {
			Check(d, policies.Observation{}, "")
		}
	})
}
