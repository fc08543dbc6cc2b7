package container

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// lookEvery is how often runtimes are looked for that were not there before.
	lookEvery = 5 * time.Second
	// maxList is how long a list may take.
	maxList = 20 * time.Second
	// maxEvent bounds one event: Docker's carry all labels of the container.
	maxEvent = 1 << 20
)

// Watch listens to what the runtimes tell unasked, until ctx is done: a container
// that removes itself is gone with all its files before anybody could ask who it
// was. Runtimes do not wait for those who listen.
func (r *Resolver) Watch(ctx context.Context) {
	w := &watch{Resolver: r, at: make(map[string]bool)}
	for {
		w.look(ctx)
		select {
		case <-ctx.Done():
			w.wait.Wait()
			return
		case <-time.After(lookEvery):
		}
	}
}

// watch is one Watch under way.
type watch struct {
	*Resolver
	wait sync.WaitGroup
	mu   sync.Mutex
	at   map[string]bool // sockets and folders somebody listens at
}

// look begins to listen wherever nobody does yet.
func (w *watch) look(ctx context.Context) {
	for _, path := range w.sockets.docker() {
		w.start(path, func() { w.http(ctx, path, Docker) })
	}
	for _, path := range w.sockets.podman() {
		w.start(path, func() { w.http(ctx, path, Podman) })
	}
	for _, path := range w.sockets.cri() {
		w.start(path, func() { w.containerd(ctx, path) })
	}
	for _, dir := range storageRoots() {
		w.start(dir, func() { w.storage(ctx, dir) })
	}
}

// start runs listen unless somebody listens there, and forgets it when it ends.
func (w *watch) start(path string, listen func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.at[path] {
		return
	}
	w.at[path] = true
	w.wait.Go(func() {
		listen()
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.at, path)
	})
}

// http listens to the events of a runtime that speaks Docker's protocol, and
// lists what it has first: the list is asked for when the events are flowing.
func (w *watch) http(ctx context.Context, path, runtime string) {
	const filters = `{"type":["container"],"event":["create","rename","start"]}`
	body, err := w.open(ctx, path, "/events?filters="+url.QueryEscape(filters))
	if err != nil {
		return
	}
	defer body.Close()
	if !w.list(ctx, path, runtime) {
		return // tried again at the next look
	}
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		if c, ok := parseEvent(lines.Bytes()); ok {
			w.memory.put(c.id, c.told(runtime))
		}
	}
}

// list remembers the containers that are there. A busy runtime may take its time:
// nobody waits for it here.
func (w *watch) list(ctx context.Context, path, runtime string) bool {
	ctx, cancel := context.WithTimeout(ctx, maxList)
	defer cancel()
	body, err := w.open(ctx, path, "/containers/json?all=1")
	if err != nil {
		return false
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxAnswer))
	if err != nil {
		return false
	}
	for _, c := range parseList(data) {
		w.memory.put(c.id, c.told(runtime))
	}
	return true
}

// open asks for a stream that has no end.
func (w *watch) open(ctx context.Context, path, url string) (io.ReadCloser, error) {
	transport := &http.Transport{
		DisableKeepAlives:     true,
		ResponseHeaderTimeout: maxList,
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
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, errors.New(resp.Status)
	}
	return resp.Body, nil
}

// listed is a container in a list or an event.
type listed struct {
	id, name, image string
	labels          map[string]string
}

func (l listed) told(runtime string) told {
	return told{
		runtime: runtime, name: clean(strings.TrimPrefix(l.name, "/"), maxName),
		image: clean(l.image, maxValue), labels: cleanLabels(l.labels),
	}
}

// parseEvent reads an event of Docker or podman. The attributes are the labels,
// and among them the container's name and its image.
func parseEvent(line []byte) (listed, bool) {
	var e struct {
		Type, Action string
		Actor        struct {
			ID         string
			Attributes map[string]string
		}
	}
	if json.Unmarshal(line, &e) != nil || e.Type != "container" || !isID(e.Actor.ID) {
		return listed{}, false
	}
	l := listed{id: e.Actor.ID, labels: make(map[string]string)}
	for key, value := range e.Actor.Attributes {
		switch key {
		case "name":
			l.name = value
		case "image":
			l.image = value
		case "oldName", "containerExitCode", "podId":
		default:
			l.labels[key] = value
		}
	}
	return l, l.name != ""
}

// parseList reads /containers/json of Docker or podman.
func parseList(data []byte) []listed {
	var list []struct {
		ID     string `json:"Id"`
		Names  []string
		Image  string
		Labels map[string]string
	}
	if json.Unmarshal(data, &list) != nil {
		return nil
	}
	var all []listed
	for _, c := range list {
		if isID(c.ID) && len(c.Names) > 0 {
			all = append(all, listed{c.ID, c.Names[0], c.Image, c.Labels})
		}
	}
	return all
}
