package container

import (
	"net/netip"
	"strings"

	"advisor/trace"
)

// Limits of resolv.conf: glibc uses three nameservers and, since 2.26, any
// number of search domains; Kubernetes writes up to 32.
const (
	maxNameservers = 8
	maxSearch      = 32
)

// parseResolv reads a resolv.conf(5); the last "search" or "domain" wins.
// It is nil where the file names nothing.
func parseResolv(data []byte) *trace.Resolv {
	r := new(trace.Resolv)
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "nameserver":
			addr, err := netip.ParseAddr(f[1])
			if err == nil && len(r.Nameservers) < maxNameservers {
				r.Nameservers = append(r.Nameservers, addr.Unmap().String())
			}
		case "search", "domain":
			r.Search = nil
			for _, domain := range f[1:min(len(f), 1+maxSearch)] {
				r.Search = append(r.Search, clean(domain, maxName))
			}
		}
	}
	if len(r.Nameservers) == 0 && len(r.Search) == 0 {
		return nil
	}
	return r
}
