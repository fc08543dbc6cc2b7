package caps

import (
	"encoding/json"
	"errors"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/policies/manifest"
)

// service is what a compose file says of a service, as far as it concerns
// capabilities. Compose has many more keys, which are not ours to judge.
type service struct {
	CapAdd      []string   `json:"cap_add"`
	CapDrop     []string   `json:"cap_drop"`
	Privileged  switchWord `json:"privileged"`
	ReadOnly    switchWord `json:"read_only"`
	SecurityOpt []string   `json:"security_opt"`
	Tmpfs       any        `json:"tmpfs"`   // one or a list
	Volumes     any        `json:"volumes"` // a list of texts or mappings
	User        any        `json:"user"`    // uid, "uid:gid" or names
	UsernsMode  string     `json:"userns_mode"`
	Extends     extends    `json:"extends"`
}

// ErrElsewhere says that a compose file speaks of another one that is not there.
var ErrElsewhere = errors.New("is not among the manifests: docker compose config writes out what services extend")

// layer is a service as it stands, without what it extends.
type layer struct {
	service
	obj  manifest.Object
	name string
}

func (l layer) position(field ...any) policies.Position {
	return l.obj.Position(append([]any{"services", l.name}, field...)...)
}

func (l layer) has(field string) bool { return l.obj.Lookup("services", l.name, field) != nil }

func parseCompose(obj manifest.Object, others []manifest.Object) ([]Declared, []error) {
	var file struct {
		Name     string                     `json:"name"`
		Services map[string]json.RawMessage `json:"services"`
	}
	if err := json.Unmarshal(obj.JSON(), &file); err != nil {
		return nil, []error{errorAt(obj.Position("services"), "compose file: %w", err)}
	}
	var list []Declared
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(file.Services)) {
		layers, err := layersOf(obj, name, others, nil)
		if err != nil {
			errs = append(errs, err)
		}
		if len(layers) > 0 {
			list = append(list, declared(layers, file.Name))
		}
	}
	return list, errs
}

// layersOf are a service and those that it extends, the last of these first. What
// cannot be found is an error beside those that can.
func layersOf(obj manifest.Object, name string, others []manifest.Object, below []layer) ([]layer, error) {
	if len(below) > 0 && obj.Lookup("services", name) == nil {
		return below, errorAt(below[0].position("extends"), "service %s extends %s, which %s does not have", below[0].name, name, obj.File)
	}
	if slices.ContainsFunc(below, func(l layer) bool { return l.name == name && l.obj.File == obj.File }) {
		return below, errorAt(below[0].position("extends"), "service %s extends itself", name)
	}
	l := layer{obj: obj, name: name}
	if err := l.read(); err != nil {
		return below, errorAt(l.position(), "service %s: %w", name, err)
	}
	layers := append([]layer{l}, below...)
	if l.Extends.Service == "" {
		return layers, nil
	}
	from := obj
	if l.Extends.File != "" {
		wanted := path.Join(path.Dir(obj.File), l.Extends.File)
		i := slices.IndexFunc(others, func(o manifest.Object) bool { return o.File == wanted })
		if i < 0 {
			return layers, errorAt(l.position("extends"), "%s, which service %s extends, %w", wanted, name, ErrElsewhere)
		}
		from = others[i]
	}
	return layersOf(from, l.Extends.Service, others, layers)
}

func (l *layer) read() error {
	var file struct {
		Services map[string]json.RawMessage `json:"services"`
	}
	if err := json.Unmarshal(l.obj.JSON(), &file); err != nil {
		return err
	}
	return json.Unmarshal(file.Services[l.name], &l.service)
}

// declared is what layers come to together: lists are joined, and of the rest the
// last one counts (Compose Specification, "extends").
func declared(layers []layer, project string) Declared {
	last := layers[len(layers)-1]
	d := Declared{
		Workload: policies.Workload{
			Namespace: policies.OneLine(project), Kind: policies.KindService, Name: policies.OneLine(last.name),
		},
		Engine: "docker", Role: RoleContainer, Position: last.position(),
		At: map[string]policies.Position{"securityContext": last.position()},
	}
	for name, field := range map[string]string{
		"capabilities": "cap_add", "privileged": "privileged", "allowPrivilegeEscalation": "security_opt",
		"runAsUser": "user", "readOnlyRootFilesystem": "read_only", "seccompProfile": "security_opt",
	} {
		d.At[name] = last.position(field)
		for _, l := range layers {
			if l.has(field) {
				d.At[name] = l.position(field)
			}
		}
	}
	for _, l := range layers {
		l.into(&d)
	}
	return d
}

// into adds one layer to those before it.
func (l layer) into(d *Declared) {
	for i, text := range l.CapAdd {
		if text, known := interpolated(text); known {
			d.Add = append(d.Add, Name{text, l.position("cap_add", i)})
		}
	}
	for i, text := range l.CapDrop {
		if text, known := interpolated(text); known {
			d.Drop = append(d.Drop, Name{text, l.position("cap_drop", i)})
		}
	}
	for _, s := range []struct {
		word  switchWord
		value **bool
	}{{l.Privileged, &d.Privileged}, {l.ReadOnly, &d.ReadOnlyRootFilesystem}} {
		if s.word.said {
			*s.value = s.word.value
		}
	}
	if l.UsernsMode != "" {
		d.UserNamespace = strings.HasPrefix(l.UsernsMode, "keep-id") || l.UsernsMode == "auto"
	}
	if user, said := userText(l.User); said {
		d.User, d.UserName, d.Group = nil, "", nil
		d.setUser(user)
	}
	for _, opt := range l.SecurityOpt {
		if opt, known := interpolated(opt); known {
			d.setOption(opt)
		}
	}
	l.mounts(d)
}

// userText is a service's user as it may be written.
func userText(user any) (text string, said bool) {
	switch user := user.(type) {
	case string:
		text, _ = interpolated(user)
		return text, true
	case float64:
		return strconv.FormatInt(int64(user), 10), true
	}
	return "", false
}

// mounts takes over the volumes and tmpfs of a service (Compose Specification).
func (s service) mounts(d *Declared) {
	list, ok := s.Tmpfs.([]any)
	if !ok {
		list = []any{s.Tmpfs}
	}
	for _, item := range list {
		if text, ok := item.(string); ok {
			d.mountTmpfs(withoutVariables(text))
		}
	}
	volumes, _ := s.Volumes.([]any)
	for _, item := range volumes {
		switch v := item.(type) {
		case string:
			d.mountVolume(withoutVariables(v))
		case map[string]any:
			at, _ := v["target"].(string)
			readOnly, _ := v["read_only"].(bool)
			d.mount(at, readOnly)
		}
	}
}

// setUser reads "uid", "uid:gid", "name" or "name:group". Nothing stands for a user
// that the manifest does not tell: the image's for all that is known here.
func (d *Declared) setUser(text string) {
	user, group, _ := strings.Cut(text, ":")
	if uid, err := strconv.ParseInt(user, 10, 64); err == nil {
		d.User = &uid
	} else {
		d.UserName = user
	}
	if gid, err := strconv.ParseInt(group, 10, 64); err == nil {
		d.Group = &gid
	}
}

// setOption reads a security option of docker and podman.
func (d *Declared) setOption(opt string) {
	key, value, found := strings.Cut(opt, "=")
	if !found {
		key, value, _ = strings.Cut(opt, ":")
	}
	switch key {
	case "no-new-privileges":
		d.AllowPrivilegeEscalation = new(value == "false")
	case "seccomp":
		switch value {
		case "unconfined":
			d.SeccompType, d.SeccompProfile = "Unconfined", ""
		case "builtin":
			d.SeccompType, d.SeccompProfile = "RuntimeDefault", ""
		default:
			d.SeccompType, d.SeccompProfile = "Localhost", value
		}
	}
}
