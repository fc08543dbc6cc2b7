package trace

import (
	"net"
	"strconv"
)

// Fact is the call as it stands in [Count.Fact]: "syscall/x86_64/openat", with
// the number where the call has no name. Counts do not tell phases apart.
func (s *Syscall) Fact() string {
	if s.Name == "" {
		return "syscall/" + s.Arch + "/" + strconv.Itoa(s.Nr)
	}
	return "syscall/" + s.Arch + "/" + s.Name
}

// Fact is the check as it stands in [Count.Fact]: "capability/CHOWN".
func (c *Capability) Fact() string { return "capability/" + c.Name }

// Fact is the flow as it stands in [Count.Fact]: "connect/TCP/10.0.0.1:80".
func (c *Connect) Fact() string {
	return "connect/" + c.Protocol + "/" + net.JoinHostPort(c.Remote, strconv.Itoa(c.Port))
}

// Fact is the flow as it stands in [Count.Fact]: "accept/TCP/8080/10.0.0.2",
// the local port before the peer.
func (a *Accept) Fact() string {
	return "accept/" + a.Protocol + "/" + strconv.Itoa(a.Port) + "/" + a.Remote
}
