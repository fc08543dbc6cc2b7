package caps

import (
	"fmt"
	"slices"
	"testing"

	"advisor/policies/manifest"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

// TestParseComposeForms has what compose files say in other ways: by anchors, texts
// with variables, and other services.
func TestParseComposeForms(t *testing.T) {
	objects := func(file, text string) []manifest.Object {
		list, errs := manifest.Read(file, []byte(text))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		return list
	}
	common := objects("base/common.yaml", `services:
  small: {cap_drop: [ALL], read_only: true, user: "33:33", security_opt: ["no-new-privileges:true"]}
`)
	web := objects("web.yaml", `x-small: &small
  cap_drop: [ALL]
  privileged: "${PRIVILEGED:-false}"
  read_only: "true"
services:
  anchored: {<<: *small, cap_add: [CHOWN]}
  variables: {privileged: "${P}", user: "${UID:-1000}:${GID}", cap_add: ["${EXTRA}", "${CAP-KILL}"]}
  extended: {extends: {file: base/common.yaml, service: small}, cap_add: [CHOWN], user: root}
  twice: {extends: extended, cap_add: [KILL], read_only: false}
  apart: {extends: {file: other.yaml, service: x}, cap_drop: [ALL]}
  round: {extends: round, cap_drop: [ALL]}
  all: {privileged: true, security_opt: [no-new-privileges]}
  nobody: {extends: gone, privileged: sure}
`)
	list, errs := ParseAmong(web[0], slices.Concat(web, common))
	var got []string
	for _, d := range list {
		s, _ := Evaluate(d, "")
		got = append(got, fmt.Sprintf("%s %v user %s, read-only %t, nnp %t, privileged %t", d.Workload.Name,
			s.Bounding, s.UserWord(), is(d.ReadOnlyRootFilesystem), s.NoNewPrivileges, s.Privileged))
	}
	for _, err := range errs {
		got = append(got, err.Error())
	}
	want := []string{
		"all " + fmt.Sprint(trace.Capabilities()) + " user the image's, read-only false, nnp true, privileged true",
		"anchored [CHOWN] user the image's, read-only true, nnp false, privileged false",
		"apart [] user the image's, read-only false, nnp false, privileged false",
		"extended [CHOWN] user root, read-only true, nnp true, privileged false",
		"round [] user the image's, read-only false, nnp false, privileged false",
		"twice [CHOWN KILL] user root, read-only false, nnp true, privileged false",
		"variables " + fmt.Sprint(dockers()) + " user the image's, read-only false, nnp false, privileged false",
		"web.yaml:10:11: other.yaml, which service apart extends, is not among the manifests: " +
			"docker compose config writes out what services extend",
		`web.yaml:13:3: service nobody: expected true or false, found "sure"`,
		"web.yaml:11:11: service round extends itself",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func dockers() []string { return Engines()[2].Defaults }

// TestParseRunForms has command lines as people write them: what one flag says must
// not be lost by how another one is written.
func TestParseRunForms(t *testing.T) {
	for line, want := range map[string]string{
		`docker run -p80:80 --privileged nginx`:                          "Image/nginx privileged",
		`docker run --name=$NAME --privileged nginx`:                     "Image/nginx privileged",
		`docker run --name "web-$ID" --cap-drop ALL nginx`:               "Image/nginx -ALL",
		`docker run -v "$PWD":/data --cap-drop=ALL nginx`:                "Image/nginx -ALL",
		`docker run -v/data:/data --cap-drop=ALL nginx`:                  "Image/nginx -ALL",
		`docker run -u1000 --cap-add=$CAPS nginx`:                        "Image/nginx user 1000",
		`docker run -dit -u 1000 --cap-add $CAPS --cap-drop ALL nginx`:   "Image/nginx -ALL user 1000",
		`docker run $OPTIONS --cap-drop ALL nginx`:                       "Image/nginx -ALL",
		`docker run --rm "$IMAGE"`:                                       "Image/",
		`docker run --privileged=$P nginx`:                               "Image/nginx",
		`docker run --memory-swap -1 --cap-drop ALL nginx`:               "Image/nginx -ALL",
		`docker run --some-switch --cap-drop ALL nginx`:                  "Image/nginx -ALL",
		`docker run -d --cap-drop ALL --disable-content-trust nginx`:     "Image/nginx -ALL",
		`docker --context east run --cap-drop ALL nginx`:                 "Image/nginx -ALL",
		`docker -D --log-level=debug container run --cap-drop ALL nginx`: "Image/nginx -ALL",
		`podman run --env-host --cap-add SYS_ADMIN nginx`:                "Image/nginx +SYS_ADMIN",
		`podman --remote run --rootfs --cap-add SYS_ADMIN /srv/root sh`:  "Image//srv/root +SYS_ADMIN",
		`docker run --cap-drop ALL nginx --privileged`:                   "Image/nginx -ALL",
		`docker run --name web --read-only --user root:root nginx`:       "Container/web read-only",
		`docker ps --filter name=run`:                                    "none",
	} {
		found, err := ParseRun("run.sh", []byte(line+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := "none"
		if len(found) > 0 {
			got = runWords(found[0])
		}
		if got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

func runWords(d Declared) string {
	text := d.Workload.String()
	for _, n := range d.Add {
		text += " +" + n.Text
	}
	for _, n := range d.Drop {
		text += " -" + n.Text
	}
	if is(d.Privileged) {
		text += " privileged"
	}
	if is(d.ReadOnlyRootFilesystem) {
		text += " read-only"
	}
	if d.User != nil {
		text += fmt.Sprintf(" user %d", *d.User)
	}
	return text
}
