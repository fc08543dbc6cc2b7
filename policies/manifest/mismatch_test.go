package manifest_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"advisor/policies/manifest"
)

// TestTypeErrors holds what is said of values of another type, and where.
func TestTypeErrors(t *testing.T) {
	head := "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n"
	tests := []struct{ name, spec, want string }{
		{
			"a string for a list", "  containers:\n  - name: a\n  - name: b\n    args: run\n",
			`pod.yaml:8:5: spec.containers.args: expected a list, found a string`,
		},
		{
			"a string for a truth value", "  hostPID: \"yes\"\n",
			`pod.yaml:5:3: spec.hostPID: expected true or false, found a string`,
		},
		{
			"a list for a mapping", "  securityContext: []\n",
			`pod.yaml:5:3: spec.securityContext: expected a mapping, found a list`,
		},
		{
			"a number for a string", "  containers:\n  - name: a\n    env:\n    - {name: port, value: 1}\n",
			`pod.yaml:8:20: spec.containers.env.value: expected a string, found a number`,
		},
		{
			"what YAML 1.1 takes for false", "  containers:\n  - name: n\n",
			`pod.yaml:6:5: spec.containers.name: expected a string, found true or false`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			objects, errs := manifest.Read("pod.yaml", []byte(head+tt.spec))
			if len(errs) > 0 || len(objects) != 1 {
				t.Fatal(objects, errs)
			}
			errs = objects[0].Decode(new(corev1.Pod))
			if len(errs) != 1 || errs[0].Error() != tt.want {
				t.Errorf("got %v, want %s", errs, tt.want)
			}
		})
	}
}
