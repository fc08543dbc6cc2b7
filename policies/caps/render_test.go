package caps

import (
	"testing"

	"advisor/policies"
	"advisor/trace"

	"github.com/google/go-cmp/cmp"
)

func TestContainerYAML(t *testing.T) {
	o := nginx()
	o.Capabilities[3].First.Comm = "x\n  - SYS_ADMIN #"
	s, _ := Synthesize(o, Options{})
	got, err := ContainerYAML(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    add:
      - CHOWN # chown by x?  - SYS_ADMIN #
      - DAC_OVERRIDE # openat by nginx
      - SETGID # setgid by nginx
      - SETUID # setuid by nginx
    drop:
      - ALL
  seccompProfile:
    type: RuntimeDefault
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestPodPatch(t *testing.T) {
	o := nginx()
	o.Workload = policies.Workload{Namespace: "shop", Kind: "CronJob", Name: "tidy", Container: "main"}
	o.Capabilities = nil
	o.Containers[0].Granted = &trace.Granted{User: "101:101"}
	s, _ := Synthesize(o, Options{SeccompProfile: "shop/tidy.json"})
	got, err := PodPatch(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `apiVersion: batch/v1
kind: CronJob
metadata:
  name: tidy
  namespace: shop
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - name: main
              securityContext:
                allowPrivilegeEscalation: false
                capabilities:
                  drop:
                    - ALL
                runAsGroup: 101
                runAsNonRoot: true
                runAsUser: 101
                seccompProfile:
                  localhostProfile: shop/tidy.json
                  type: Localhost
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s.Standing.Level != Restricted {
		t.Errorf("level %s: %v", s.Standing.Level, s.Standing.Blocks)
	}
}

func TestFlagsComposeSystemd(t *testing.T) {
	s, _ := Synthesize(nginx(), Options{Engine: "docker"})
	if diff := cmp.Diff([]string{
		"--cap-drop=ALL", "--cap-add=CHOWN", "--cap-add=DAC_OVERRIDE", "--cap-add=SETGID",
		"--cap-add=SETUID", "--security-opt=no-new-privileges",
	}, RunFlags(s)); diff != "" {
		t.Errorf("flags (-want +got)\n%s", diff)
	}
	compose, err := Compose(s)
	if err != nil {
		t.Fatal(err)
	}
	want := `services:
  web:
    cap_drop:
      - ALL
    cap_add:
      - CHOWN # chown by nginx
      - DAC_OVERRIDE # openat by nginx
      - SETGID # setgid by nginx
      - SETUID # setuid by nginx
    security_opt:
      - no-new-privileges:true
`
	if diff := cmp.Diff(want, string(compose)); diff != "" {
		t.Errorf("compose (-want +got)\n%s", diff)
	}
	want = `[Service]
CapabilityBoundingSet=
CapabilityBoundingSet=CAP_CHOWN CAP_DAC_OVERRIDE CAP_SETGID CAP_SETUID
NoNewPrivileges=yes
`
	if diff := cmp.Diff(want, string(Systemd(s))); diff != "" {
		t.Errorf("systemd (-want +got)\n%s", diff)
	}
}
