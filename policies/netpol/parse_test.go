package netpol

import (
	"strings"
	"testing"

	"advisor/policies/manifest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	sigsyaml "sigs.k8s.io/yaml"
)

const policyHead = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
`

func parse(t testing.TB, yaml string) ([]Policy, []error) {
	t.Helper()
	objects, errs := manifest.Read("p.yaml", []byte(yaml))
	for _, err := range errs {
		t.Fatal(err)
	}
	return Parse(objects, "")
}

// TestParseRejects holds what the API server refuses, with the place.
func TestParseRejects(t *testing.T) {
	for _, tt := range []struct{ name, spec, want string }{
		{"misspelt key", "  podselector: {}\n",
			`p.yaml:5:3: NetworkPolicy p: unknown field "spec.podselector"`},
		{"key at the wrong depth", "  podSelector: {}\n  from: []\n", `p.yaml:6:3`},
		{"number as label", "  podSelector: {matchLabels: {a: 1}}\n", `p.yaml`},
		{"empty peer", "  podSelector: {}\n  ingress:\n  - from:\n    - {}\n",
			"p.yaml:8:7: NetworkPolicy p: spec.ingress[0].from[0]: Required value: must specify a peer"},
		{"null peer", "  podSelector: {}\n  ingress:\n  - from:\n    -\n", "must specify a peer"},
		{"block and selector", "  podSelector: {}\n  egress:\n  - to:\n" +
			"    - podSelector: {}\n      ipBlock: {cidr: 10.0.0.0/8}\n",
			"p.yaml:9:7: NetworkPolicy p: spec.egress[0].to[0].ipBlock: Forbidden"},
		{"except outside", "  podSelector: {}\n  egress:\n  - to:\n" +
			"    - ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}\n", "strict subset"},
		{"except as wide", "  podSelector: {}\n  egress:\n  - to:\n" +
			"    - ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}\n", "strict subset"},
		{"except of another family", "  podSelector: {}\n  egress:\n  - to:\n" +
			"    - ipBlock: {cidr: 10.0.0.0/8, except: ['fd00::/16']}\n", "strict subset"},
		{"no CIDR", "  podSelector: {}\n  egress:\n  - to:\n    - ipBlock: {cidr: 10.0.0.1}\n",
			"valid CIDR"},
		{"leading zero", "  podSelector: {}\n  egress:\n  - to:\n    - ipBlock: {cidr: 010.0.0.0/8}\n",
			"valid CIDR"},
		{"empty CIDR", "  podSelector: {}\n  egress:\n  - to:\n    - ipBlock: {}\n",
			"cidr: Required value"},
		{"port 0", rulePorts("port: 0"), "between 1 and 65535"},
		{"port 65536", rulePorts("port: 65536"), "between 1 and 65535"},
		{"number as a name", rulePorts("port: '80'"), "at least one letter"},
		{"long name", rulePorts("port: a234567890123456"), "no more than 15"},
		{"protocol in small letters", rulePorts("protocol: tcp"), "Unsupported value"},
		{"ICMP", rulePorts("protocol: ICMP"), "Unsupported value"},
		{"endPort alone", rulePorts("endPort: 90"), "`port` is not specified"},
		{"endPort with a name", rulePorts("port: http, endPort: 90"), "`port` is non-numeric"},
		{"endPort below port", rulePorts("port: 91, endPort: 90"), "greater than or equal"},
		{"endPort above 65535", rulePorts("port: 91, endPort: 65536"), "between 1 and 65535"},
		{"unknown type", "  podSelector: {}\n  policyTypes: [ingress]\n", "policyTypes[0]"},
		{"three types", "  podSelector: {}\n  policyTypes: [Ingress, Egress, Ingress]\n",
			"more than two"},
		{"operator", "  podSelector: {matchExpressions: [{key: a, operator: in, values: [b]}]}\n",
			"not a valid selector operator"},
		{"In without values", "  podSelector: {matchExpressions: [{key: a, operator: In}]}\n",
			"must be specified when `operator` is 'In' or 'NotIn'"},
		{"Exists with values",
			"  podSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}\n",
			"may not be specified when `operator` is 'Exists' or 'DoesNotExist'"},
		{"bad label key", "  podSelector: {matchLabels: {'a b': c}}\n", "matchLabels"},
	} {
		policies, errs := parse(t, policyHead+tt.spec)
		if len(policies) > 0 || len(errs) == 0 || !strings.Contains(errs[0].Error(), tt.want) {
			t.Errorf("%s: %d policies, %v, want %q", tt.name, len(policies), errs, tt.want)
		}
	}
}

func rulePorts(port string) string {
	return "  podSelector: {}\n  ingress:\n  - ports:\n    - {" + port + "}\n"
}

func TestParseRejectsObjects(t *testing.T) {
	for _, tt := range []struct{ name, yaml, want string }{
		{"old group", "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: p}\n",
			"p.yaml:1:1: NetworkPolicy p: apiVersion \"extensions/v1beta1\" is not served"},
		{"name", strings.Replace(policyHead, "name: p", "name: P_", 1) + "  podSelector: {}\n",
			"p.yaml:3:12: NetworkPolicy P_: metadata.name: Invalid value"},
		{"no name", strings.Replace(policyHead, "name: p, ", "", 1) + "  podSelector: {}\n",
			"metadata.name"},
		{"twice", policyHead + "  podSelector: {}\n---\n" + policyHead + "  podSelector: {}\n",
			"p.yaml:7:1: NetworkPolicy shop/p: is also at p.yaml:1:1"},
	} {
		if _, errs := parse(t, tt.yaml); len(errs) != 1 || !strings.Contains(errs[0].Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, errs, tt.want)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	policies, errs := parse(t, `apiVersion: networking.k8s.io/v1
kind: NetworkPolicyList
items:
- metadata: {name: a}
  spec:
    podSelector: {}
    ingress:
    -
    - from: [{ipBlock: {cidr: 13.50.180.111/24, except: [13.50.180.0/25]}}]
      ports: [{port: http}, {port: 80, endPort: 80, protocol: SCTP}]
---
apiVersion: crd.projectcalico.org/v1
kind: NetworkPolicy
metadata: {name: calico}
`)
	if len(errs) > 0 || len(policies) != 1 || policies[0].String() != "default/a" {
		t.Fatalf("%v, %v", policies, errs)
	}
	const want = "default/a ingress[1] (p.yaml:9:7)"
	if got := policies[0].rules(Ingress)[1].ref().String(); got != want {
		t.Errorf("rule %s, want %s", got, want)
	}
}

// FuzzParse holds that nothing panics, and that what is accepted prints back
// and reads the same.
func FuzzParse(f *testing.F) {
	f.Add(policyHead + "  podSelector: {}\n  ingress:\n  -\n")
	f.Add(policyHead + "  egress:\n  - to: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}}]\n")
	f.Add(policyHead + rulePorts("port: 80, endPort: 90, protocol: UDP"))
	f.Add("kind: Service\nmetadata: {name: a}\n" +
		"spec: {clusterIP: x, ports: [{port: 1, targetPort: a}]}\n")
	f.Add("kind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 1}]}\n---\n" +
		"kind: Endpoints\nmetadata: {name: a}\nsubsets: [{addresses: [{ip: 10.0.0.1}], ports: [{port: 2}]}]\n")
	f.Add("kind: Pod\nmetadata: {name: a, ownerReferences: [{controller: true}]}\n")
	f.Fuzz(func(t *testing.T, text string) {
		objects, _ := manifest.Read("f", []byte(text))
		inv, _ := NewInventory(objects, nil)
		policies, _ := Parse(objects, "")
		for i := range policies {
			again := printed(t, &policies[i])
			diff := cmp.Diff(policies[i].NetworkPolicy, again.NetworkPolicy, cmpopts.EquateEmpty())
			if diff != "" {
				t.Fatalf("reads differently once printed (-want +got)\n%s", diff)
			}
			Evaluate(policies, inv, Connection{Source: Endpoint{Pod: &Pod{Namespace: "a"}},
				Destination: Endpoint{Pod: &Pod{Namespace: "shop"}}, Protocol: "TCP", Port: 80}, Dialect{})
		}
	})
}

func printed(t *testing.T, p *Policy) Policy {
	t.Helper()
	p.APIVersion, p.Kind = "networking.k8s.io/v1", "NetworkPolicy"
	text, err := sigsyaml.Marshal(&p.NetworkPolicy)
	if err != nil {
		t.Fatal(err)
	}
	again, errs := parse(t, string(text))
	if len(errs) > 0 || len(again) != 1 {
		t.Fatalf("what was accepted is refused once printed: %v\n%s", errs, text)
	}
	return again[0]
}
