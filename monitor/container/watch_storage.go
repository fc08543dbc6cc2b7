package container

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// storage follows containers.json of podman's storage, which is written anew
// before a container starts. Podman has no server that could tell.
func (w *watch) storage(ctx context.Context, dir string) {
	changes, err := fsnotify.NewWatcher()
	if err != nil {
		return
	}
	defer changes.Close()
	if changes.Add(filepath.Join(w.files.root, dir)) != nil {
		return // not there, or not yet
	}
	w.readStorage(dir)
	for {
		select {
		case <-ctx.Done():
			return
		case e, open := <-changes.Events:
			if !open || e.Has(fsnotify.Remove) && filepath.Base(e.Name) == filepath.Base(dir) {
				return
			}
			if filepath.Base(e.Name) == storageFile {
				w.readStorage(dir)
			}
		case <-changes.Errors: // events were lost: the next one reads the file again
		}
	}
}

// storageFile is where containers/storage lists its containers.
const storageFile = "containers.json"

func (w *watch) readStorage(dir string) {
	data, err := w.files.read(filepath.Join(dir, storageFile))
	if err != nil {
		return
	}
	for _, c := range parseStorage(data) {
		// CRI-O keeps its own here too, and says more of them in the bundle.
		if isID(c.id) && !strings.HasPrefix(c.name, "k8s_") {
			w.memory.put(c.id, c.told(""))
		}
	}
}
