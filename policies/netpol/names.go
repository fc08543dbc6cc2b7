package netpol

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// maxName keeps generated names usable as values of labels.
const maxName = 63

// policyNames gives each workload's policy the workload's name. Where two of a
// namespace share it, or it had to be changed to be valid, a hash tells them
// apart: the same in every run.
func policyNames(owners []*Owner) map[*Owner]string {
	taken := make(map[string]int)
	for _, o := range owners {
		taken[o.namespace()+"/"+o.Workload.Name]++
	}
	names := make(map[*Owner]string)
	for _, o := range owners {
		name := o.Workload.Name
		plain := len(name) <= maxName && len(validation.IsDNS1123Subdomain(name)) == 0
		if !plain || taken[o.namespace()+"/"+name] > 1 || name == defaultDeny {
			name = hashed(o)
		}
		names[o] = name
	}
	return names
}

func hashed(o *Owner) string {
	sum := sha256.Sum256([]byte(o.Workload.String()))
	suffix := "-" + hex.EncodeToString(sum[:4])
	base := labelValue(o.Workload.Name)
	if len(base) > maxName-len(suffix) {
		base = base[:maxName-len(suffix)]
	}
	return strings.TrimLeft(strings.TrimRight(base, "-")+suffix, "-")
}
