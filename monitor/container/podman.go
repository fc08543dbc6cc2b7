package container

import (
	"encoding/json"
	"path/filepath"
)

// askPodman reads what podman's storage says and asks its socket, which most
// machines do not have, for the labels.
func (q *query) askPodman() {
	q.readPodman()
	known := q.named
	q.askHTTP(q.sockets.podman(), Podman)
	q.named = q.named || known
	if q.c.Name == "" {
		q.c.Name = q.kept.name
	}
	if q.spec != nil && q.c.Granted != nil {
		q.c.Granted.Privileged = q.spec.Annotations["io.podman.annotations.privileged"] == "TRUE"
	}
}

// readPodman reads containers.json, two folders above the bundle
// (containers/storage: <graph root>/<driver>-containers/<id>/userdata).
func (q *query) readPodman() {
	if filepath.Base(q.bundle) != "userdata" || filepath.Base(filepath.Dir(q.bundle)) != q.at.id {
		return
	}
	path := filepath.Join(filepath.Dir(filepath.Dir(q.bundle)), storageFile)
	data, err := q.files.read(path)
	if err != nil {
		return
	}
	for _, c := range parseStorage(data) {
		if c.id == q.at.id {
			known := c.told(Podman)
			q.c.Name, q.c.Image, q.named = known.name, known.image, true
		}
	}
}

// parseStorage reads containers.json. What the creator of a container wanted to
// keep is JSON in a string.
func parseStorage(data []byte) []listed {
	var list []struct {
		ID       string
		Names    []string
		Metadata string
	}
	if json.Unmarshal(data, &list) != nil {
		return nil
	}
	var all []listed
	for _, c := range list {
		var meta struct {
			Name      string `json:"name"`
			ImageName string `json:"image-name"`
		}
		_ = json.Unmarshal([]byte(c.Metadata), &meta) // of another creator: the names remain
		if meta.Name == "" && len(c.Names) > 0 {
			meta.Name = c.Names[0]
		}
		all = append(all, listed{id: c.ID, name: meta.Name, image: meta.ImageName})
	}
	return all
}
