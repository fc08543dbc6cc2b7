package policies

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"advisor/trace"
)

// WorkloadOf is the workload a container belongs to. In Kubernetes that is the
// pod's owner, else what the labels and name that controllers give their pods
// say about it, else the pod's stable labels, always with the container's
// name. Elsewhere it is the service of a compose project or swarm stack, else
// the container's name, else its image, else its command.
//
// A name holds no control characters: it stands in comments of what is loaded into
// kernels and clusters, where a line that it ended would be a line of its own.
func WorkloadOf(c *trace.Container) Workload {
	w := workloadOf(c)
	return Workload{
		Namespace: OneLine(w.Namespace), Kind: OneLine(w.Kind), Name: OneLine(w.Name), Container: OneLine(w.Container),
	}
}

// OneLine spells out what is not to be printed, so that names that differ still do:
// control characters, and those that change the direction of text or end a line.
func OneLine(name string) string {
	if !strings.ContainsFunc(name, invisible) {
		return name
	}
	quoted := strconv.QuoteToGraphic(name)
	return quoted[1 : len(quoted)-1]
}

func invisible(r rune) bool {
	return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

func workloadOf(c *trace.Container) Workload {
	if c.Pod != nil {
		kind, name := podOwner(c.Pod)
		return Workload{Namespace: c.Pod.Namespace, Kind: kind, Name: name, Container: c.Pod.Container}
	}
	service := firstLabel(c.Labels, "com.docker.compose.service", "io.podman.compose.service")
	if service != "" {
		project := firstLabel(c.Labels, "com.docker.compose.project", "io.podman.compose.project")
		return Workload{Namespace: project, Kind: KindService, Name: service}
	}
	if service := c.Labels["com.docker.swarm.service.name"]; service != "" {
		stack := c.Labels["com.docker.stack.namespace"]
		service = strings.TrimPrefix(service, stack+"_")
		return Workload{Namespace: stack, Kind: KindService, Name: service}
	}
	return plainWorkload(c)
}

func plainWorkload(c *trace.Container) Workload {
	name := strings.TrimPrefix(c.Name, "/") // Docker's API writes it as a path
	switch {
	case name != "" && c.Runtime == "command":
		return Workload{Kind: KindCommand, Name: name}
	case name != "":
		return Workload{Kind: KindContainer, Name: name}
	case c.Image != "":
		return Workload{Kind: KindImage, Name: c.Image}
	case c.Command != "":
		return Workload{Kind: KindCommand, Name: c.Command}
	}
	return Workload{Kind: KindContainer, Name: c.ID}
}

func firstLabel(labels map[string]string, keys ...string) string {
	for _, key := range keys {
		if labels[key] != "" {
			return labels[key]
		}
	}
	return ""
}

// podOwner names the controller of a pod. Where nobody recorded it, the labels
// that the built-in controllers set on their pods decide, as the pod's name is
// then made of the owner's by a fixed rule.
func podOwner(p *trace.Pod) (kind, name string) {
	if p.Owner != nil && p.Owner.Name != "" {
		return p.Owner.Kind, p.Owner.Name
	}
	if kind, name, ok := controllerOf(p); ok {
		return kind, name
	}
	stable := StableLabels(p.Labels)
	if len(stable) == 0 {
		return "Pod", p.Name
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(stable)) {
		parts = append(parts, key+"="+stable[key])
	}
	return "Pod", strings.Join(parts, ",")
}

func controllerOf(p *trace.Pod) (kind, name string, ok bool) {
	if hash := p.Labels["pod-template-hash"]; hash != "" {
		name, _, ok = strings.Cut(p.Name, "-"+hash+"-")
		return "Deployment", name, ok && name != ""
	}
	if p.Labels["statefulset.kubernetes.io/pod-name"] != "" {
		name, ok = cutSuffix(p.Name, isOrdinal)
		return "StatefulSet", name, ok
	}
	if job := firstLabel(p.Labels, "batch.kubernetes.io/job-name", "job-name"); job != "" {
		// A CronJob's jobs end in the minute they were due, since 1970 (Kubernetes
		// pkg/controller/cronjob getJobName).
		if name, ok := cutSuffix(job, isMinute); ok {
			return "CronJob", name, true
		}
		return "Job", job, true
	}
	if p.Labels["controller-revision-hash"] != "" {
		name, ok = cutSuffix(p.Name, isRandom)
		return "DaemonSet", name, ok
	}
	return "", "", false
}

// cutSuffix takes the last part of a dashed name off, if it fits.
func cutSuffix(name string, fits func(string) bool) (string, bool) {
	at := strings.LastIndexByte(name, '-')
	if at <= 0 || !fits(name[at+1:]) {
		return name, false
	}
	return name[:at], true
}

func isOrdinal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isMinute tells a minute of 2016, when there were no CronJobs, or later. Dates as in
// 20260131, which people put behind the names of Jobs, are minutes of 2008 and 2009.
func isMinute(s string) bool { return len(s) == 8 && isOrdinal(s) && s >= "24192000" }

// isRandom knows the suffix of generated names: k8s.io/apimachinery
// pkg/util/rand leaves out vowels and what looks like them.
func isRandom(s string) bool {
	return len(s) == 5 && strings.Trim(s, "bcdfghjklmnpqrstvwxz2456789") == ""
}
