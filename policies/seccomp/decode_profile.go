package seccomp

import (
	"advisor/policies"
	"advisor/trace"

	"go.yaml.in/yaml/v3"
)

// profile reads the JSON formats.
func (d *decoder) profile(n *yaml.Node) Profile {
	p := Profile{Position: d.position(n)}
	var words errnoWords
	d.object(n, "seccomp profile", func(key string, v *yaml.Node) bool {
		switch key {
		case "archMap":
			d.stands(&p, key, v)
			p.ArchMap = d.archMap(&p, v)
		case "defaultErrno":
			words.read(d, v, key)
		default:
			return d.common(&p, key, v)
		}
		return true
	})
	words.into(d, n, &p.DefaultErrno)
	if p.Default == "" {
		d.fail(n, "seccomp profile: no defaultAction")
	}
	p.Format = p.narrowest(words.used || d.podman(n))
	return p
}

// stands notes the place of a key, or of a word in its list; the first one counts.
func (d *decoder) stands(p *Profile, word string, v *yaml.Node) {
	if p.places == nil {
		p.places = map[string]policies.Position{}
	}
	if _, ok := p.places[word]; !ok && !absent(v) {
		p.places[word] = d.position(v)
	}
}

// wordsOf reads a list of words and notes where each stands.
func (d *decoder) wordsOf(p *Profile, v *yaml.Node, what string) []string {
	d.stands(p, what, v)
	var list []string
	d.list(v, what, func(v *yaml.Node) {
		word := d.text(v, what)
		d.stands(p, word, v)
		list = append(list, word)
	})
	return list
}

// common reads the keys that all formats share.
func (d *decoder) common(p *Profile, key string, v *yaml.Node) bool {
	d.stands(p, key, v)
	switch key {
	case "defaultAction":
		p.Default, p.Position = Action(d.text(v, key)), d.position(v)
	case "defaultErrnoRet":
		p.DefaultErrno = d.errno(v, key)
	case "architectures":
		p.Architectures = arches(d.wordsOf(p, v, key))
	case "flags":
		p.Flags, p.FlagsSet = d.wordsOf(p, v, key), !absent(v)
	case "listenerPath":
		p.ListenerPath = d.text(v, key)
	case "listenerMetadata":
		p.ListenerMetadata = d.text(v, key)
	case "syscalls":
		d.list(v, key, func(v *yaml.Node) { p.Rules = append(p.Rules, d.rule(v)) })
	default:
		return false
	}
	return true
}

func (d *decoder) archMap(p *Profile, n *yaml.Node) []ArchMap {
	var list []ArchMap
	d.list(n, "archMap", func(n *yaml.Node) {
		var m ArchMap
		d.object(n, "archMap", func(key string, v *yaml.Node) bool {
			switch key {
			case "architecture":
				m.Arch = Arch(d.text(v, key))
				d.stands(p, string(m.Arch), v)
			case "subArchitectures":
				m.Sub = arches(d.wordsOf(p, v, key))
			default:
				return false
			}
			return true
		})
		list = append(list, m)
	})
	return list
}

func (d *decoder) rule(n *yaml.Node) Rule {
	r := Rule{Position: d.position(n)}
	var words errnoWords
	var single string
	d.object(n, "syscalls", func(key string, v *yaml.Node) bool {
		switch key {
		case "name":
			single = d.text(v, key)
			d.name(&r, v)
		case "names":
			d.list(v, key, func(v *yaml.Node) { d.name(&r, v) })
		case "action":
			r.Action = Action(d.text(v, key))
		case "errnoRet":
			r.Errno = d.errno(v, key)
		case "errno":
			words.read(d, v, key)
		case "args":
			d.list(v, key, func(v *yaml.Node) { r.Args = append(r.Args, d.arg(v)) })
		case "comment":
			r.Comment = d.text(v, key)
		case "includes":
			r.Includes = d.filter(v, key)
		case "excludes":
			r.Excludes = d.filter(v, key)
		default:
			return false
		}
		return true
	})
	words.into(d, n, &r.Errno)
	if single != "" && len(r.Names) > 1 {
		d.fail(n, "both name and names; engines refuse that")
	}
	return r
}

func (d *decoder) name(r *Rule, v *yaml.Node) {
	if absent(v) {
		return
	}
	r.Names = append(r.Names, d.text(v, "name"))
	r.places = append(r.places, d.position(v))
}

func (d *decoder) arg(n *yaml.Node) Arg {
	var a Arg
	d.object(n, "args", func(key string, v *yaml.Node) bool {
		switch key {
		case "index":
			a.Index = uint(d.number(v, key))
		case "value":
			a.Value = d.number(v, key)
		case "valueTwo":
			a.ValueTwo = d.number(v, key)
		case "op":
			a.Op = Op(d.text(v, key))
		default:
			return false
		}
		return true
	})
	return a
}

func (d *decoder) filter(n *yaml.Node, what string) Filter {
	var f Filter
	if absent(n) {
		return f
	}
	d.object(n, what, func(key string, v *yaml.Node) bool {
		switch key {
		case "caps":
			f.Caps = d.texts(v, key)
		case "arches":
			f.Arches = d.texts(v, key)
		case "minKernel":
			f.MinKernel = d.text(v, key)
		default:
			return false
		}
		return true
	})
	return f
}

// errnoWords reads Podman's names of errnos, which win over the number beside them.
type errnoWords struct {
	used  bool
	value uint
}

func (w *errnoWords) read(d *decoder, v *yaml.Node, what string) {
	word := d.text(v, what)
	if word == "" {
		return
	}
	n, ok := trace.ErrnoNumber(word)
	if !ok {
		d.fail(v, "%s: %q is not an errno", what, word)
		return
	}
	w.used, w.value = true, uint(n)
}

func (w *errnoWords) into(d *decoder, n *yaml.Node, number **uint) {
	if !w.used {
		return
	}
	if *number != nil && **number != w.value {
		d.fail(n, "the errno's name says %d, its number %d", w.value, **number)
	}
	*number = &w.value
}

// podman tells whether any entry names an errno as Podman does.
func (d *decoder) podman(n *yaml.Node) bool {
	rules := child(target(n), "syscalls")
	if rules == nil {
		return false
	}
	for _, r := range target(rules).Content {
		if v := child(target(r), "errno"); v != nil && !null(v) && v.Value != "" {
			return true
		}
	}
	return false
}

// narrowest is the format that says no more than the profile needs.
func (p Profile) narrowest(podman bool) Format {
	wide := len(p.ArchMap) > 0
	for _, r := range p.Rules {
		wide = wide || r.Comment != "" || !r.Includes.empty() || !r.Excludes.empty()
	}
	switch {
	case podman:
		return Podman
	case wide:
		return Docker
	}
	return OCI
}
