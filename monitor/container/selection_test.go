package container

import (
	"slices"
	"testing"

	"advisor/trace"
)

func TestSelection(t *testing.T) {
	c := trace.Container{
		ID: idA, Name: "web", Runtime: Containerd, Image: "docker.io/library/nginx:1.25@sha256:00",
		Labels: map[string]string{"tier": "front"},
		Pod: &trace.Pod{Namespace: "shop", Name: "web-0", Container: "web",
			Labels: map[string]string{"app": "web"}},
	}
	tests := []struct {
		name string
		s    Selection
		want bool
	}{
		{"everything", Selection{}, true},
		{"name", Selection{Containers: []string{"web"}}, true},
		{"other name", Selection{Containers: []string{"we"}}, false},
		{"empty name", Selection{Containers: []string{""}}, false},
		{"one of two names", Selection{Containers: []string{"db", "web"}}, true},
		{"id", Selection{Containers: []string{idA}}, true},
		{"short id", Selection{Containers: []string{idA[:12]}}, true},
		{"too short id", Selection{Containers: []string{idA[:11]}}, false},
		{"pod", Selection{Pods: []string{"web-0"}}, true},
		{"namespace", Selection{Namespaces: []string{"shop"}}, true},
		{"namespace and other pod",
			Selection{Namespaces: []string{"shop"}, Pods: []string{"db-0"}}, false},
		{"image", Selection{Images: []string{"nginx"}}, true},
		{"image and tag", Selection{Images: []string{"nginx:1.24"}}, false},
		{"full image", Selection{Images: []string{"docker.io/library/nginx:1.25@sha256:00"}}, true},
		{"image pattern", Selection{Images: []string{"ngin?:1.2*"}}, true},
		{"broken pattern", Selection{Images: []string{"[nginx"}}, false},
		{"label of the pod", Selection{Labels: map[string]string{"app": "web"}}, true},
		{"label of the container", Selection{Labels: map[string]string{"tier": "front"}}, true},
		{"label of any value", Selection{Labels: map[string]string{"app": ""}}, true},
		{"label of another value", Selection{Labels: map[string]string{"app": "db"}}, false},
		{"one label of two", Selection{Labels: map[string]string{"app": "web", "x": "y"}}, false},
	}
	for _, tt := range tests {
		if got := tt.s.Match(c); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestSelectionOfHost(t *testing.T) {
	unit := trace.Container{ID: "cron.service", Name: "cron.service", Runtime: Host}
	for _, tt := range []struct {
		name string
		s    Selection
		want bool
	}{
		{"by default", Selection{}, false},
		{"--host", Selection{Host: true}, true},
		{"a name without --host", Selection{Containers: []string{"cron.service"}}, false},
		{"a name with --host", Selection{Host: true, Containers: []string{"cron.service"}}, true},
		{"another name with --host", Selection{Host: true, Containers: []string{"web"}}, false},
	} {
		if got := tt.s.Match(unit); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestUnsure: a container whose runtime has not said its name may be one that is
// selected; what no runtime made is none.
func TestUnsure(t *testing.T) {
	byName := Selection{Containers: []string{"web"}}
	byPod := Selection{Pods: []string{"web-0"}}
	for _, tt := range []struct {
		name string
		s    Selection
		c    trace.Container
		want bool
	}{
		{"nothing is selected", Selection{}, trace.Container{ID: idA, Runtime: Docker}, false},
		{"no name", byName, trace.Container{ID: idA, Runtime: Docker}, true},
		{"an id of nobody's", byName, trace.Container{ID: idA}, true},
		{"another name", byName, trace.Container{ID: idA, Runtime: Docker, Name: "db"}, false},
		{"the name", byName, trace.Container{ID: idA, Runtime: Docker, Name: "web"}, false},
		{"the host's", byName, trace.Container{ID: "cron.service", Runtime: Host}, false},
		{"a plain namespace", byName, trace.Container{ID: "mnt-7"}, false},
		{"a pod without a name", byPod,
			trace.Container{ID: idA, Runtime: Containerd, Name: "c", Pod: &trace.Pod{UID: uid}}, true},
		{"the sandbox of a pod", byName,
			trace.Container{ID: idA, Runtime: Containerd, Pod: &trace.Pod{Name: "db-0"}}, false},
		{"another pod", byPod,
			trace.Container{ID: idA, Runtime: Containerd, Name: "c", Pod: &trace.Pod{Name: "db-0"}}, false},
	} {
		if got := tt.s.Unsure(tt.c); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// TestNames: a container goes by its name, its id and its pod's, each as selected.
func TestNames(t *testing.T) {
	s := Selection{Containers: []string{"web", "db", idA[:12]}, Pods: []string{"web-0", "db-0"}}
	c := trace.Container{ID: idA, Name: "web", Pod: &trace.Pod{Name: "web-0"}}
	if got, want := s.Names(c), []string{"web", idA[:12], "web-0"}; !slices.Equal(got, want) {
		t.Errorf("names %v, want %v", got, want)
	}
	if got := s.Names(trace.Container{ID: "mnt-7", Name: "other"}); len(got) > 0 {
		t.Errorf("names %v, want none", got)
	}
}
