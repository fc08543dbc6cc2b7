package caps

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"advisor/policies"
	"advisor/policies/manifest"
)

// service is what a compose file says of a service, as far as it concerns
// capabilities. Compose has many more keys, which are not ours to judge.
type service struct {
	CapAdd      []string `json:"cap_add"`
	CapDrop     []string `json:"cap_drop"`
	Privileged  *bool    `json:"privileged"`
	ReadOnly    *bool    `json:"read_only"`
	SecurityOpt []string `json:"security_opt"`
	Tmpfs       any      `json:"tmpfs"`   // one or a list
	Volumes     any      `json:"volumes"` // a list of texts or mappings
	User        any      `json:"user"`    // uid, "uid:gid" or names
	UsernsMode  string   `json:"userns_mode"`
}

func parseCompose(obj manifest.Object) ([]Declared, []error) {
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
		var s service
		if err := json.Unmarshal(file.Services[name], &s); err != nil {
			errs = append(errs, errorAt(obj.Position("services", name), "service %s: %w", name, err))
			continue
		}
		list = append(list, s.declared(obj, file.Name, name))
	}
	return list, errs
}

func (s service) declared(obj manifest.Object, project, name string) Declared {
	path := func(field ...any) policies.Position {
		return obj.Position(append([]any{"services", name}, field...)...)
	}
	d := Declared{
		Workload: policies.Workload{Namespace: project, Kind: policies.KindService, Name: name},
		Engine:   "docker", Role: RoleContainer, Position: path(),
		Privileged: s.Privileged, ReadOnlyRootFilesystem: s.ReadOnly,
		UserNamespace: strings.HasPrefix(s.UsernsMode, "keep-id") || s.UsernsMode == "auto",
		At: map[string]policies.Position{
			"securityContext": path(), "capabilities": path("cap_add"), "privileged": path("privileged"),
			"allowPrivilegeEscalation": path("security_opt"), "runAsUser": path("user"),
			"readOnlyRootFilesystem": path("read_only"), "seccompProfile": path("security_opt"),
		},
	}
	for i, text := range s.CapAdd {
		d.Add = append(d.Add, Name{text, path("cap_add", i)})
	}
	for i, text := range s.CapDrop {
		d.Drop = append(d.Drop, Name{text, path("cap_drop", i)})
	}
	switch user := s.User.(type) {
	case string:
		d.setUser(user)
	case float64:
		d.setUser(strconv.FormatInt(int64(user), 10))
	}
	for _, opt := range s.SecurityOpt {
		d.setOption(opt)
	}
	s.mounts(&d)
	return d
}

// mounts takes over the volumes and tmpfs of a service (Compose Specification).
func (s service) mounts(d *Declared) {
	list, ok := s.Tmpfs.([]any)
	if !ok {
		list = []any{s.Tmpfs}
	}
	for _, item := range list {
		if text, ok := item.(string); ok {
			d.mountTmpfs(text)
		}
	}
	volumes, _ := s.Volumes.([]any)
	for _, item := range volumes {
		switch v := item.(type) {
		case string:
			d.mountVolume(v)
		case map[string]any:
			at, _ := v["target"].(string)
			readOnly, _ := v["read_only"].(bool)
			d.mount(at, readOnly)
		}
	}
}

// setUser reads "uid", "uid:gid", "name" or "name:group". A variable stands for a
// user that the manifest does not tell: the image's for all that is known here.
func (d *Declared) setUser(text string) {
	if strings.Contains(text, "$") {
		return
	}
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
			d.SeccompType = "Unconfined"
		case "builtin":
			d.SeccompType = "RuntimeDefault"
		default:
			d.SeccompType, d.SeccompProfile = "Localhost", value
		}
	}
}
