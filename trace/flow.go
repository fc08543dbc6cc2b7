package trace

// Protocols of network facts.
const (
	TCP  = "TCP"
	UDP  = "UDP"
	SCTP = "SCTP"
)

// Results of a [Connect].
const (
	ResultEstablished = "established"
	ResultRefused     = "refused"
	ResultTimeout     = "timeout"
	// ResultUnreachable is an answer from the way there, not from the peer:
	// no route, or a router's or firewall's ICMP message.
	ResultUnreachable = "unreachable"
	ResultFailed      = "failed" // for any other reason
	ResultPending     = "pending"
	ResultSent        = "sent" // UDP: a datagram really left
)

// Connect is traffic a container began: once per
// (container, protocol, remote, port, result).
type Connect struct {
	Container string `json:"container"`
	Protocol  string `json:"protocol"`
	Remote    string `json:"remote"` // address the socket ended up with; v4-mapped IPv6 folded to IPv4
	Port      int    `json:"port"`
	// Requested is the address the program asked for, where it differs.
	Requested     string `json:"requested,omitempty"`
	RequestedPort int    `json:"requestedPort,omitempty"`
	// Translated is the backend's address after conntrack's translation.
	Translated     string `json:"translated,omitempty"`
	TranslatedPort int    `json:"translatedPort,omitempty"`
	Source         string `json:"source,omitempty"` // local address of one sample
	Local          int    `json:"local,omitempty"`  // source port of one sample, for joining both ends
	Result         string `json:"result"`
	Existing       bool   `json:"existing,omitempty"` // the socket was there before recording
	Sighting
}

// Accept is traffic a container answered: once per
// (container, protocol, port, remote).
type Accept struct {
	Container string `json:"container"`
	Protocol  string `json:"protocol"`
	Address   string `json:"address,omitempty"` // local address
	Port      int    `json:"port"`              // local port
	Remote    string `json:"remote"`            // the peer
	PeerPort  int    `json:"peerPort,omitempty"`
	Existing  bool   `json:"existing,omitempty"`
	Sighting
}

// Listen is a socket a container listens on.
type Listen struct {
	Container string `json:"container"`
	Protocol  string `json:"protocol"`
	Address   string `json:"address"`
	Port      int    `json:"port"`
	Existing  bool   `json:"existing,omitempty"`
	Sighting
}
