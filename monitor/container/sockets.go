package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// errUnknown says that the runtime does not know the container.
var errUnknown = errors.New("no such container")

// errResting says that a socket failed a moment ago and is not asked now.
var errResting = errors.New("did not answer a moment ago")

// rest is how long a socket that did not answer is left alone.
const rest = 2 * time.Second

// sockets finds the runtimes' sockets and asks them, one question at a time
// each, and none for a while after one that got no answer.
type sockets struct {
	proc    proc
	root    string
	extra   []string
	timeout time.Duration

	mu     sync.Mutex
	failed map[string]time.Time // when a socket last failed
}

func newSockets(p proc, root string, extra []string, timeout time.Duration) *sockets {
	return &sockets{
		proc: p, root: root, extra: extra, timeout: timeout, failed: make(map[string]time.Time),
	}
}

// docker lists sockets that may be Docker's.
func (s *sockets) docker() []string { return s.find("docker.sock", "/run/docker.sock") }

// podman lists sockets that may be podman's.
func (s *sockets) podman() []string { return s.find("podman.sock", "/run/podman/podman.sock") }

// cri lists sockets that may speak CRI.
func (s *sockets) cri() []string {
	return slices.Concat(
		s.find("containerd.sock",
			"/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock"),
		s.find("crio.sock", "/run/crio/crio.sock"))
}

// find returns the usual places, those given, and whatever socket of that
// name something on the host listens on. Only sockets of root are believed.
func (s *sockets) find(name string, usual ...string) []string {
	var found []string
	data, _ := os.ReadFile(filepath.Join(s.proc.dir, "net/unix"))
	listening := parseUnix(data, name)
	for _, path := range slices.Concat(s.extra, usual, listening) {
		path = filepath.Join(s.root, path)
		if filepath.Base(path) == name && rootSocket(path) && !slices.Contains(found, path) {
			found = append(found, path)
		}
	}
	return found
}

// parseUnix takes the listening sockets of that file name from a
// /proc/net/unix: flag __SO_ACCEPTCON (0x10000), path in the eighth column.
func parseUnix(data []byte, name string) []string {
	var paths []string
	for line := range bytes.Lines(data) {
		f := strings.Fields(string(line))
		if len(f) == 8 && f[3] == "00010000" && filepath.IsAbs(f[7]) && filepath.Base(f[7]) == name {
			paths = append(paths, filepath.Clean(f[7]))
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

func rootSocket(path string) bool {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != fs.ModeSocket {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && st.Uid == 0
}

// get asks for one document over HTTP.
func (s *sockets) get(path, url string) ([]byte, error) {
	if s.resting(path) {
		return nil, fmt.Errorf("%s: %w", path, errResting)
	}
	data, err := s.request(path, url)
	if err != nil && !errors.Is(err, errUnknown) {
		s.fail(path)
	}
	return data, err
}

func (s *sockets) request(path, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), s.timeout)
	defer cancel()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://runtime"+url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", path, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	case http.StatusNotFound:
		return nil, errUnknown
	}
	return nil, fmt.Errorf("ask %s: %s", path, resp.Status)
}

func (s *sockets) resting(path string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.failed[path]
	return ok && time.Since(at) < rest
}

func (s *sockets) fail(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed[path] = time.Now()
}

// askHTTP asks sockets that speak Docker's protocol for the container.
func (q *query) askHTTP(paths []string, runtime string) {
	for _, path := range paths {
		data, err := q.sockets.get(path, "/containers/"+q.at.id+"/json")
		switch {
		case errors.Is(err, errUnknown):
		case err != nil:
			q.pending = true
		default:
			in, err := parseInspect(data, q.at.id)
			if err != nil {
				continue
			}
			q.c.Runtime = runtime
			q.useInspect(in)
			return
		}
	}
}
