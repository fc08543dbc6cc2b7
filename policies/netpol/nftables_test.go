package netpol

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"advisor/policies"
	"advisor/trace"
)

// outsideShop is a client, a server and a stranger outside Kubernetes.
func outsideShop() []policies.Observation {
	client := container("client", "10.77.1.2", "fd77:1::2").
		connect("TCP", "10.77.2.2", 7070, "established").
		connect("TCP", "fd77:2::2", 7070, "established")
	server := container("server", "10.77.2.2", "fd77:2::2").
		accept("TCP", "10.77.1.2", 7070, 40000)
	return all(client, server, container("stranger", "10.77.3.2", "fd77:3::2"))
}

// TestNFTablesChecks lets nft itself read the ruleset.
func TestNFTablesChecks(t *testing.T) {
	needNFT(t)
	host := container("host", "10.77.9.1").accept("TCP", "10.77.1.2", 8080, 40000)
	host.Workload.Kind, host.Containers[0].Runtime = policies.KindCommand, "command"
	open := container("open", "10.77.4.2").accept("TCP", "198.51.100.7", 80, 40000).
		connect("UDP", "198.51.100.53", 53, trace.ResultSent)
	obs := append(outsideShop(), host.Observation, open.Observation)
	s, _ := synthesized(t, "", obs, Options{ExternalIngress: ExternalAny})
	nft(t, "", s.NFTables(), "-c", "-f", "-")
}

func needNFT(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("nft"); err == nil && os.Getuid() == 0 {
		return
	}
	if os.Getenv("ADVISOR_REQUIRE_BPF") != "" {
		t.Fatal("ADVISOR_REQUIRE_BPF is set, but this is not root with nft (package nftables)")
	}
	t.Skip("needs root and nft: run fixtures/bed/install.sh")
}

// nft runs in a network namespace, or for "" in one of its own: even a check
// needs the kernel's tables.
func nft(t *testing.T, namespace string, input []byte, args ...string) {
	t.Helper()
	cmd := exec.Command("unshare", append([]string{"-n", "nft"}, args...)...)
	if namespace != "" {
		cmd = exec.Command("ip", append([]string{"netns", "exec", namespace, "nft"}, args...)...)
	}
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s\n%s", err, out, input)
	}
}

// TestNFTablesEnforced loads the ruleset into a router between real network
// namespaces: the recorded client still reaches the server, nobody else does.
func TestNFTablesEnforced(t *testing.T) {
	needNFT(t)
	s, _ := synthesized(t, "", outsideShop(), Options{})
	lab := newLab(t)
	for _, address := range []string{"10.77.2.2", "fd77:2::2"} {
		for _, port := range []int{7070, 7071} {
			lab.serve(t, "2", address, port)
		}
	}
	for _, from := range []string{"1", "3"} { // IPv6 takes a moment to find its ways
		for _, address := range []string{"10.77.2.2", "fd77:2::2"} {
			lab.await(t, from, address, 7070)
		}
	}
	lab.want(t, true, true, true)
	nft(t, lab.name("r"), s.NFTables(), "-f", "-")
	lab.want(t, true, false, false)
}

// want checks which connections there are over IPv4 and IPv6: the client's to
// the observed port, to another one, and the stranger's.
func (l *lab) want(t *testing.T, observed, other, stranger bool) {
	t.Helper()
	for _, address := range []string{"10.77.2.2", "fd77:2::2"} {
		for _, tt := range []struct {
			from string
			port int
			want bool
		}{{"1", 7070, observed}, {"1", 7071, other}, {"3", 7070, stranger}} {
			if got := l.reaches(tt.from, address, tt.port); got != tt.want {
				t.Errorf("from namespace %s to %s port %d: %t, want %t",
					tt.from, address, tt.port, got, tt.want)
			}
		}
	}
}

// lab is a router with three hosts, each a network namespace.
type lab struct{ prefix string }

func newLab(t *testing.T) *lab {
	l := &lab{fmt.Sprintf("advisor%d", os.Getpid())}
	l.run(t, "ip", "netns", "add", l.name("r"))
	t.Cleanup(func() {
		for _, host := range []string{"r", "1", "2", "3"} {
			if err := exec.Command("ip", "netns", "del", l.name(host)).Run(); err != nil {
				t.Errorf("removing network namespace %s: %v", l.name(host), err)
			}
		}
	})
	for _, host := range []string{"1", "2", "3"} {
		l.addHost(t, host)
	}
	l.in(t, "r", "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	return l
}

func (l *lab) name(host string) string { return l.prefix + host }

func (l *lab) run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
}

func (l *lab) in(t *testing.T, host string, args ...string) {
	t.Helper()
	l.run(t, append([]string{"ip", "netns", "exec", l.name(host)}, args...)...)
}

func (l *lab) addHost(t *testing.T, host string) {
	l.run(t, "ip", "netns", "add", l.name(host))
	l.run(t, "ip", "-n", l.name(host), "link", "set", "lo", "up")
	l.run(t, "ip", "-n", l.name("r"), "link", "add", "v"+host, "type", "veth",
		"peer", "name", "eth0", "netns", l.name(host))
	for _, side := range []struct{ host, link, end string }{
		{"r", "v" + host, "1"}, {host, "eth0", "2"},
	} {
		for _, address := range []string{"10.77." + host + "." + side.end + "/24",
			"fd77:" + host + "::" + side.end + "/64"} {
			args := []string{"ip", "-n", l.name(side.host), "address", "add", address, "dev", side.link}
			if strings.Contains(address, "::") {
				args = append(args, "nodad")
			}
			l.run(t, args...)
		}
		l.run(t, "ip", "-n", l.name(side.host), "link", "set", side.link, "up")
	}
	l.run(t, "ip", "-n", l.name(host), "route", "add", "default", "via", "10.77."+host+".1")
	l.run(t, "ip", "-n", l.name(host), "-6", "route", "add", "default", "via", "fd77:"+host+"::1")
}

// serve accepts connections in a host until the test ends.
func (l *lab) serve(t *testing.T, host, address string, port int) {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", l.name(host), os.Args[0])
	cmd.Env = append(os.Environ(), "ADVISOR_LAB_LISTEN="+net.JoinHostPort(address, fmt.Sprint(port)))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Errorf("ending the server: %v", err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Errorf("waiting for the server: %v", err)
		}
	})
	l.await(t, host, address, port)
}

// await returns when a connection can be made.
func (l *lab) await(t *testing.T, host, address string, port int) {
	t.Helper()
	for range 50 {
		if l.reaches(host, address, port) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("from namespace %s nothing listens on %s port %d", host, address, port)
}

// reaches says whether a connection from a host is established soon.
func (l *lab) reaches(host, address string, port int) bool {
	cmd := exec.Command("ip", "netns", "exec", l.name(host), os.Args[0])
	cmd.Env = append(os.Environ(), "ADVISOR_LAB_DIAL="+net.JoinHostPort(address, fmt.Sprint(port)))
	return cmd.Run() == nil
}

// TestMain is what this binary does in a namespace of the lab.
func TestMain(m *testing.M) {
	if address := os.Getenv("ADVISOR_LAB_LISTEN"); address != "" {
		os.Exit(labServer(address))
	}
	if address := os.Getenv("ADVISOR_LAB_DIAL"); address != "" {
		os.Exit(labClient(address))
	}
	os.Exit(m.Run())
}

func labServer(address string) int {
	listener, err := net.Listen("tcp", address)
	for err == nil {
		var c net.Conn
		if c, err = listener.Accept(); err == nil {
			c.Close()
		}
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func labClient(address string) int {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return 1
	}
	c.Close()
	return 0
}

// TestNFTablesNames holds that no name gets out of its comment.
func TestNFTablesNames(t *testing.T) {
	web := container("web\n}\nflush ruleset\n#", "172.17.0.2").connect("TCP", "172.17.0.3", 80, "established")
	db := container("db\nadd table x", "172.17.0.3").accept("TCP", "172.17.0.2", 80, 4000)
	s, _ := synthesized(t, "", all(web, db), Options{})
	for line := range strings.Lines(string(s.NFTables())) {
		if strings.HasPrefix(line, "flush") || strings.HasPrefix(line, "add") || line == "#\n" {
			t.Errorf("a line of its own: %q", line)
		}
	}
}
