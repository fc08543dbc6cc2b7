package netpol

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"advisor/policies"
	"advisor/policies/manifest"

	"github.com/google/go-cmp/cmp"
)

// amendHead is the start of a policy for the cart of [widthShop]; its traffic
// is in [widthTraffic].
const amendHead = `apiVersion: networking.k8s.io/v1 # the API
kind: NetworkPolicy
metadata: {name: cart, namespace: shop}
spec:
  # the cart
  podSelector: {matchLabels: {app: cart}}
`

const dnsRule = `  # names
  - to:
    - podSelector: {matchLabels: {k8s-app: kube-dns}}
      namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}
    ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
`

const exactIngress = `  ingress:
  - from: # both
    - podSelector: {matchLabels: {app: web}}
    - ipBlock: {cidr: 203.0.113.7/32}
    ports:
    - port: 7070
`

type amendCase struct{ name, before, after string }

func amendCases() []amendCase {
	return []amendCase{
		{"a rule, a peer and a port too many", `  policyTypes: [Ingress, Egress]
  ingress:
  # nobody asked for it
  # since long
  - from:
    - podSelector: {matchLabels: {app: report}}

  # the shop
  - from: # both
    - podSelector: {matchLabels: {app: web}} # the page
    # a job
    - podSelector:
        matchLabels: {app: report}
    - ipBlock: {cidr: 203.0.113.7/32}
    ports:
    - port: 7070 # http
    - port: 7071
  # the end
  egress:
` + dnsRule, `  policyTypes: [Ingress, Egress]
  ingress:

  # the shop
  - from: # both
    - podSelector: {matchLabels: {app: web}} # the page
    - ipBlock: {cidr: 203.0.113.7/32}
    ports:
    - port: 7070 # http
  # the end
  egress:
` + dnsRule},
		{"a range of addresses", exactTo(`    - ipBlock:
        # our office
        cidr: 203.0.113.0/24 # all of it
        except: [203.0.113.9/32]
`), exactTo(`    - ipBlock:
        # our office
        cidr: 203.0.113.7/32 # all of it
`)},
	}
}

func amendsOfNoRule() []amendCase {
	return []amendCase{
		{"no rule yet, in braces", "  policyTypes: [Ingress]\n  ingress: []\n", `  policyTypes: [Ingress]
  ingress:
    # web
    - from:
        - podSelector:
            matchLabels:
              app: web
      ports:
        - protocol: TCP
          port: 7070
    # outside the cluster
    - from:
        - ipBlock:
            cidr: 203.0.113.7/32
      ports:
        - protocol: TCP
          port: 7070
`},
		{"no key at all", "  policyTypes: [Ingress, Egress]\n" + exactIngress, `  egress:
    # DNS
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: TCP
          port: 53
        - protocol: UDP
          port: 53
  policyTypes: [Ingress, Egress]
` + exactIngress},
	}
}

func exactTo(block string) string {
	return "  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - podSelector: {matchLabels: {app: web}}\n" + block +
		"    ports:\n    - port: 7070\n"
}

func amendsOfWidth() []amendCase {
	return []amendCase{
		{"everyone, everywhere", "  ingress:\n  - {}\n", `  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: web
    - ipBlock:
        cidr: 203.0.113.7/32
    ports:
    - protocol: TCP
      port: 7070
`}, {"a dash with nothing behind it", "  ingress:\n  -\n", `  ingress:
  - from:
    - podSelector:
        matchLabels:
          app: web
    - ipBlock:
        cidr: 203.0.113.7/32
    ports:
    - protocol: TCP
      port: 7070
`}, {"all pods and a range of ports", `  ingress:
  - from: [{podSelector: {}}, {ipBlock: {cidr: 203.0.113.7/32}}]
    ports: [{port: 7000, endPort: 8000}]
`, `  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}, {ipBlock: {cidr: 203.0.113.7/32}}]
    ports: [{protocol: TCP, port: 7070}]
`}, {"what another peer says already", exactTo("    - ipBlock: {cidr: 203.0.113.7/32} # the office\n" +
			"    - ipBlock: {cidr: 203.0.113.0/24}\n    - podSelector: {}\n"),
			exactTo("    - ipBlock: {cidr: 203.0.113.7/32} # the office\n")},
		{"the last rule of egress", exactIngress + "  egress:\n  - to: [{podSelector: {matchLabels: {app: report}}}]\n" + dnsRule +
			"    # the last line\n", exactIngress + "  egress:\n" + dnsRule + "    # the last line\n"},
	}
}

func TestAmend(t *testing.T) {
	for _, tt := range slices.Concat(amendCases(), amendsOfNoRule(), amendsOfWidth()) {
		t.Run(tt.name, func(t *testing.T) {
			got, err := amended(t, amendHead+tt.before, widthTraffic())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(amendHead+tt.after, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if again, err := amended(t, got, widthTraffic()); err != nil || again != got {
				t.Errorf("a second time it changes: %v\n%s", err, again)
			}
		})
	}
}

// TestAmendKeepsClosed holds that a policy whose last rule of egress goes still
// closes egress.
func TestAmendKeepsClosed(t *testing.T) {
	text := amendHead + exactIngress + "  egress:\n  - to: [{podSelector: {matchLabels: {app: report}}}]\n"
	got, err := amended(t, text, all(observed{deployment("shop", "cart", "10.0.0.3")}))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"policyTypes:\n", "- Egress\n", "egress: []\n", "ingress: []\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestAmendNotInPlace(t *testing.T) {
	for _, text := range []string{
		`{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"cart","namespace":"shop"},
		"spec":{"podSelector":{"matchLabels":{"app":"cart"}},"ingress":[{}]}}`,
		amendHead + "  ingress: &all\n  - from: &none []\n    ports: [{port: 7070}]\n  - from: *none\n    ports: [{port: 1}, {port: 7070}]\n",
	} {
		if got, err := amended(t, text, widthTraffic()); !errors.Is(err, manifest.ErrNotInPlace) {
			t.Errorf("%v\n%s", err, got)
		}
	}
}

// amended applies all remedies for the one policy of a text.
func amended(t *testing.T, text string, obs []policies.Observation) (string, error) {
	t.Helper()
	objects, errs := manifest.Read("m.yaml", []byte(text))
	shop, more := manifest.Read("shop.yaml", []byte(widthShop))
	inv, bad := NewInventory(slices.Concat(objects, shop), obs)
	declared, invalid := Parse(objects, "")
	for _, err := range slices.Concat(errs, more, bad, invalid) {
		t.Fatal(err)
	}
	dialect, _ := DialectOf("")
	var usable []Remedy
	for _, r := range Remedies(declared, inv, obs, dialect) {
		if r.Why == "" {
			usable = append(usable, r)
		}
	}
	if len(usable) == 0 {
		return text, nil
	}
	e := manifest.NewEditor([]byte(text))
	err := Amend(e, usable, inv, dialect)
	got := string(e.Bytes())
	if err == nil {
		checkAmended(t, got, shop, obs)
	}
	return got, err
}

// checkAmended holds that nothing is missing or excess any more.
func checkAmended(t *testing.T, text string, shop []manifest.Object, obs []policies.Observation) {
	t.Helper()
	objects, errs := manifest.Read("m.yaml", []byte(text))
	inv, _ := NewInventory(slices.Concat(objects, shop), obs)
	declared, invalid := Parse(objects, "")
	for _, err := range append(errs, invalid...) {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, f := range Check(declared, inv, obs, Dialect{}) {
		if f.Class == policies.Missing || f.Class == policies.Excess {
			t.Errorf("%s %s: %s\n%s", f.Rule, f.Subject, f.Message, text)
		}
	}
}

// TestRemediesSaySo holds why some findings have no remedy.
func TestRemediesSaySo(t *testing.T) {
	const shared = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: shop}
spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: gone}}}]}]}
`
	obs := widthTraffic()
	objects, _ := manifest.Read("m.yaml", []byte(shared))
	inv, _ := NewInventory(objects, obs)
	declared, _ := Parse(objects, "")
	var got []string
	for _, r := range Remedies(declared, inv, obs, Dialect{}) {
		got = append(got, r.Finding.Subject+": "+r.Why)
	}
	want := []string{
		"<- 203.0.113.7 TCP/7070: NetworkPolicy shop/all also selects shop/Deployment/web",
		"<- shop/Deployment/web TCP/7070: NetworkPolicy shop/all also selects shop/Deployment/web",
		"ingress shop/[pods with app=gone] : All Connections: NetworkPolicy shop/all also selects shop/Deployment/web",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// FuzzAmend holds that what is edited can still be read, and that a second time
// there is nothing to do that was done.
func FuzzAmend(f *testing.F) {
	for _, c := range slices.Concat(amendCases(), amendsOfNoRule(), amendsOfWidth()) {
		f.Add(amendHead + c.before)
	}
	obs := widthTraffic()
	dialect, _ := DialectOf("")
	f.Fuzz(func(t *testing.T, text string) {
		objects, errs := manifest.Read("m.yaml", []byte(text))
		inv, _ := NewInventory(objects, obs)
		declared, invalid := Parse(objects, "")
		if len(errs)+len(invalid) > 0 || len(declared) != 1 {
			return
		}
		var usable []Remedy
		for _, r := range Remedies(declared, inv, obs, dialect) {
			if r.Why == "" && r.Policy != nil {
				usable = append(usable, r)
			}
		}
		if len(usable) == 0 {
			return
		}
		e := manifest.NewEditor([]byte(text))
		if Amend(e, usable, inv, dialect) != nil || strings.ContainsAny(text, "&*!") {
			return // what an alias stands for may be taken out; the result is read again before it counts
		}
		objects, errs = manifest.Read("m.yaml", e.Bytes())
		declared, invalid = Parse(objects, "")
		if len(errs)+len(invalid) > 0 || len(declared) != 1 {
			t.Errorf("%v %v\n%s\n%s", errs, invalid, text, e.Bytes())
		}
	})
}
