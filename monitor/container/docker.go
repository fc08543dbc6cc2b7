package container

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"

	"advisor/trace"
)

// inspected is what advisor reads of Docker's description of a container. The
// API's /containers/ID/json, podman's answer to the same and Docker's own
// config.v2.json share these fields.
type inspected struct {
	ID     string `json:"Id"` // "ID" on disk
	Name   string // with a leading slash under Docker
	Driver string
	State  struct {
		Running   bool
		Pid       int
		StartedAt time.Time
	}
	Config struct {
		Image  string
		Labels map[string]string
	}
	HostConfig      hostConfig // on disk in a file of its own
	NetworkSettings struct {
		IPAddress string // podman's only network
		Networks  map[string]struct {
			IPAddress         string
			GlobalIPv6Address string
		}
	}
	ImageName      string // podman
	ResolvConfPath string
}

// hostConfig is Docker's hostconfig.json.
type hostConfig struct {
	Privileged  bool
	NetworkMode string
	Runtime     string
}

// parseInspect reads the description of the container id.
func parseInspect(data []byte, id string) (*inspected, error) {
	in := new(inspected)
	if err := json.Unmarshal(data, in); err != nil {
		return nil, fmt.Errorf("description of container %.12s: %w", id, err)
	}
	if in.ID != id {
		return nil, fmt.Errorf("description of container %.12s: is of %.12q", id, in.ID)
	}
	return in, nil
}

// askDocker reads Docker's files, which are found through the mount of
// resolv.conf, and asks its socket where there are none.
func (q *query) askDocker() {
	if q.readDocker() {
		return
	}
	q.askHTTP(q.sockets.docker(), Docker)
}

// readDocker reads <data root>/containers/<id>.
func (q *query) readDocker() bool {
	for _, dir := range q.dockerDirs() {
		data, err := q.files.read(filepath.Join(dir, "config.v2.json"))
		if err != nil {
			continue
		}
		in, err := parseInspect(data, q.at.id)
		if err != nil {
			continue
		}
		if data, err := q.files.read(filepath.Join(dir, "hostconfig.json")); err == nil {
			_ = json.Unmarshal(data, &in.HostConfig) // what it lacks stays unknown
		}
		q.useInspect(in)
		return true
	}
	return false
}

func (q *query) dockerDirs() []string {
	var dirs []string
	if q.spec != nil {
		for _, file := range []string{"/etc/resolv.conf", "/etc/hostname"} {
			dir := filepath.Dir(q.spec.mount(file))
			if filepath.Base(dir) == q.at.id {
				dirs = append(dirs, dir)
			}
		}
	}
	return append(dirs, filepath.Join("/var/lib/docker/containers", q.at.id))
}

// useInspect takes over what the runtime told.
func (q *query) useInspect(in *inspected) {
	q.named = true
	q.c.Name = clean(strings.TrimPrefix(in.Name, "/"), maxName)
	q.c.Image = clean(cmp.Or(in.ImageName, in.Config.Image), maxValue)
	q.c.Labels = cleanLabels(in.Config.Labels)
	if in.State.Pid > 0 {
		q.c.PID = in.State.Pid
	}
	if !in.State.StartedAt.IsZero() && in.State.Running {
		q.c.Started = in.State.StartedAt.UTC()
	}
	if q.c.Granted == nil && q.live {
		q.c.Granted = q.proc.granted(q.c.PID)
	}
	if q.c.Granted != nil {
		q.c.Granted.Privileged = in.HostConfig.Privileged
	}
	if q.kept.oci == "" {
		q.kept.oci = clean(in.HostConfig.Runtime, maxName)
	}
	q.useAddresses(in)
	// Docker starts the container before it writes that it runs.
	if q.live && !in.State.Running {
		q.pending = true
	}
}

func (q *query) useAddresses(in *inspected) {
	addrs := []string{in.NetworkSettings.IPAddress}
	for _, n := range in.NetworkSettings.Networks {
		addrs = append(addrs, n.IPAddress, n.GlobalIPv6Address)
	}
	q.addIPs(addrs)
}

// addIPs keeps what are addresses, v4-mapped ones folded.
func (q *query) addIPs(addrs []string) {
	for _, s := range addrs {
		if addr, err := netip.ParseAddr(s); err == nil && len(q.c.IPs) < 64 {
			q.c.IPs = append(q.c.IPs, addr.Unmap().WithZone("").String())
		}
	}
}

// podOf reads the Kubernetes identity out of the annotations of a bundle.
// Sources: containerd pkg/cri/annotations, CRI-O internal/annotations,
// kubelet pkg/kubelet/types/labels.go.
func podOf(a map[string]string) *trace.Pod {
	const cri, crio, kubelet = "io.kubernetes.cri.", "io.kubernetes.cri-o.", "io.kubernetes."
	// Plain podman writes CRI-O's annotations too.
	if a["io.container.manager"] == "libpod" {
		return nil
	}
	pod := &trace.Pod{
		Namespace: clean(cmp.Or(a[cri+"sandbox-namespace"], a[crio+"Namespace"],
			a[kubelet+"pod.namespace"]), maxName),
		Name:      clean(cmp.Or(a[cri+"sandbox-name"], a[kubelet+"pod.name"]), maxName),
		UID:       clean(cmp.Or(a[cri+"sandbox-uid"], a[kubelet+"pod.uid"]), maxName),
		Container: clean(cmp.Or(a[cri+"container-name"], a[kubelet+"container.name"]), maxName),
	}
	if pod.Name == "" || pod.Namespace == "" {
		return nil
	}
	return pod
}
