package monitor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"

	"advisor/bpf"
	"advisor/trace"
)

// PinFolder is where a recording is pinned unless something else is said. Names
// below it may hold no dots: the file system's rule.
const PinFolder = "/sys/fs/bpf/advisor"

const (
	pinMap  = "map_"
	pinLink = "link_" // with two digits, for the order they were attached in
	// The probe that comes and goes is detached first and attached last.
	pinLeave = pinLink + "00_leaving"
)

// pin keeps maps and probes in the kernel when this process is gone: recording
// goes on, and another process may take it up.
func (p *probes) pin(dir string) error {
	if err := pinFolder(dir); err != nil {
		return err
	}
	for name, m := range p.coll.Maps {
		if err := m.Pin(filepath.Join(dir, pinName(name))); err != nil {
			return fmt.Errorf("pinning %s: %w", name, err)
		}
	}
	for i, l := range p.links {
		name := fmt.Sprintf("%s%02d_%s", pinLink, i, p.hooks[i])
		if err := l.Pin(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("pinning the probe %s: %w", p.hooks[i], err)
		}
	}
	p.pinned = dir
	return p.pinLeave()
}

// pinLeave pins the probe on the way out of calls too, while it is attached.
func (p *probes) pinLeave() error {
	if p.pinned == "" || p.leave == nil {
		return nil
	}
	if err := p.leave.Pin(filepath.Join(p.pinned, pinLeave)); err != nil {
		return fmt.Errorf("pinning the probe %s: %w", p.wayOut, err)
	}
	return nil
}

func pinName(name string) string { return pinMap + strings.TrimPrefix(name, ".") }

// pinFolder makes dir, where nothing may be pinned yet, and mounts the file
// system for it where that is missing.
func pinFolder(dir string) error {
	var at unix.Statfs_t
	root := filepath.Dir(dir)
	if unix.Statfs(root, &at) == nil && at.Type != unix.BPF_FS_MAGIC {
		if err := unix.Mount("bpf", root, "bpf", 0, "mode=0700"); err != nil {
			return fmt.Errorf("mounting a bpf file system at %s: %w", root, err)
		}
	}
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s holds a recording already: --resume takes it up, --cleanup ends it", dir)
	}
	if err != nil {
		return fmt.Errorf("making the folder to pin in: %w", err)
	}
	return nil
}

// spare leaves what is pinned where it is, for --resume: the trace could not be
// written, and the kernel still has it all.
func (p *probes) spare(o Options) {
	if p.pinned == "" {
		return
	}
	o.Log.Warn("the recording goes on in the kernel: --resume takes it up, --cleanup ends it", "pin", p.pinned)
	p.pinned = ""
	if p.leave != nil {
		_ = p.leave.Close() // the pin holds it
		p.leave = nil
	}
}

// pinned says early whether there is a recording to take up.
func pinned(o Options) error {
	if !o.Resume {
		return nil
	}
	_, err := os.Stat(o.Pin)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no recording to take up: there is no %s", o.Pin)
	}
	return err
}

// resume takes up the recording that is pinned in dir.
func resume(dir string) (*probes, error) {
	spec, err := embedded()
	if err != nil {
		return nil, fmt.Errorf("reading the embedded programs: %w", err)
	}
	p := &probes{spec: spec, cache: btf.NewCache(), wayOut: bpf.RecorderProgLeave, pinned: dir}
	maps := make(map[string]*ebpf.Map)
	for name := range spec.Maps {
		m, err := ebpf.LoadPinnedMap(filepath.Join(dir, pinName(name)), nil)
		if err != nil {
			return nil, fmt.Errorf("taking up the recording in %s: %w", dir, err)
		}
		defer m.Close()
		maps[name] = m
		spec.Maps[name].MaxEntries = m.MaxEntries()
	}
	if p.coll, err = p.collection([]string{bpf.RecorderProgListTasks}, maps); err != nil {
		return nil, fmt.Errorf("taking up the recording in %s: %w", dir, err)
	}
	if err := p.resumeLinks(dir); err != nil {
		return nil, err
	}
	if p.state, err = openState(spec, p.coll); err != nil {
		return nil, err
	}
	return p, p.resumeExits()
}

// resumeExits has the probe on the way out ready where it was, attached or not.
func (p *probes) resumeExits() error {
	wanted := p.spec.Variables[bpf.RecorderVarExitsWanted]
	consts, err := p.coll.Maps[wanted.SectionName].LookupBytes(uint32(0))
	switch {
	case err != nil:
		return fmt.Errorf("taking up the recording: %w", err)
	case uint64(wanted.Offset) >= uint64(len(consts)) || consts[wanted.Offset] == 0:
		return nil
	}
	return p.loadExits()
}

func (p *probes) resumeLinks(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, pinLink+"*"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("taking up the recording in %s: no probes are pinned there", dir)
	}
	slices.Sort(files)
	for _, file := range files {
		l, err := link.LoadPinnedLink(file, nil)
		if err != nil {
			return fmt.Errorf("taking up %s: %w", file, err)
		}
		if filepath.Base(file) == pinLeave {
			p.leave = l
			continue
		}
		_, name, _ := strings.Cut(strings.TrimPrefix(filepath.Base(file), pinLink), "_")
		p.links, p.hooks = append(p.links, l), append(p.hooks, name)
		p.keepLinked(name, l)
	}
	return nil
}

// resumed names the hooks of a recording that was taken up.
func (p *probes) resumed() trace.Probes {
	hook := func(names ...string) string {
		for _, name := range names {
			if slices.Contains(p.hooks, name) {
				return p.spec.Programs[name].SectionName
			}
		}
		return "off: not pinned"
	}
	calls := hook(bpf.RecorderProgEnter)
	if p.leave != nil {
		calls += " " + p.spec.Programs[p.wayOut].SectionName
	}
	return trace.Probes{
		Syscalls:     calls,
		Capabilities: hook(bpf.RecorderProgCapsFexit, bpf.RecorderProgCapsTp, bpf.RecorderProgCapsAnswer),
		Network:      hook(bpf.RecorderProgTcp),
	}
}

// Cleanup ends the recording that is pinned in dir: its probes are detached and
// what they gathered is gone.
func Cleanup(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("cleaning up: %w", err)
	}
	// Links go first, so that nothing is recorded into maps that are going.
	slices.SortFunc(files, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var errs []error
	for _, f := range files {
		if strings.HasPrefix(f.Name(), pinLink) || strings.HasPrefix(f.Name(), pinMap) {
			errs = append(errs, os.Remove(filepath.Join(dir, f.Name())))
		}
	}
	return errors.Join(append(errs, os.Remove(dir))...)
}
