package policies

import "strings"

// VolatileLabel says that a pod label changes with a rollout, a node or a
// replica, or is injected, and so must neither tell workloads apart nor stand
// in a selector. app.kubernetes.io/instance is not one: it tells two releases
// of one chart apart.
func VolatileLabel(key string) bool {
	switch key {
	case "pod-template-hash", "rollouts-pod-template-hash", "controller-revision-hash",
		"pod-template-generation", "statefulset.kubernetes.io/pod-name",
		"apps.kubernetes.io/pod-index", "job-name", "batch.kubernetes.io/job-name",
		"controller-uid", "batch.kubernetes.io/controller-uid",
		"batch.kubernetes.io/job-completion-index",
		"app.kubernetes.io/version", "app.kubernetes.io/managed-by", "helm.sh/chart":
		return true
	}
	for _, prefix := range [...]string{
		"topology.kubernetes.io/", "failure-domain.beta.kubernetes.io/",
		"kubernetes.io/config.", "security.istio.io/", "service.istio.io/canonical-",
		"io.cilium.k8s.",
	} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// StableLabels are the labels of a pod without the volatile ones.
func StableLabels(labels map[string]string) map[string]string {
	stable := make(map[string]string, len(labels))
	for key, value := range labels {
		if !VolatileLabel(key) {
			stable[key] = value
		}
	}
	return stable
}
