package seccomp

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// spo reads a SeccompProfile object.
func (d *decoder) spo(n *yaml.Node) Profile {
	p := Profile{Format: SPO, Position: d.position(n)}
	d.object(n, spoKind, func(key string, v *yaml.Node) bool {
		switch key {
		case "apiVersion":
			if strings.HasSuffix(d.text(v, key), "/v1beta1") {
				p.Format = SPOBeta
			}
		case "metadata":
			d.metadata(&p, v)
		case "spec":
			d.spec(&p, v)
		case "kind", "status":
		default:
			return false
		}
		return true
	})
	if p.Default == "" && !p.Disabled {
		d.fail(n, "SeccompProfile: no spec.defaultAction")
	}
	if p.narrowest(false) != OCI {
		d.fail(n, "SeccompProfile: comment, includes and excludes are not in the resource")
	}
	return p
}

// metadata takes the object's name; what else Kubernetes keeps there is not ours.
func (d *decoder) metadata(p *Profile, n *yaml.Node) {
	if v := child(target(n), "name"); v != nil {
		p.Name = d.text(v, "name")
	}
	if v := child(target(n), "namespace"); v != nil {
		p.Namespace = d.text(v, "namespace")
	}
}

func (d *decoder) spec(p *Profile, n *yaml.Node) {
	d.object(n, "spec", func(key string, v *yaml.Node) bool {
		switch key {
		case "state":
			d.stands(p, key, v)
			p.Disabled = d.text(v, key) == "Disabled"
		case "disabled": // of earlier versions of the resource
			p.Disabled = v.Value == "true"
		case "baseProfileName":
			d.stands(p, key, v)
			p.Base = d.text(v, key)
		case "defaultErrnoRet":
			return false
		default:
			return d.common(p, key, v)
		}
		return true
	})
}
