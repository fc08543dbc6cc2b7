package trace

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
)

// check says what keeps a record from being one of the format: a missing key, a
// value outside its range or list. Reader and Writer refuse the same records.
func check(rec Record) error {
	switch r := rec.(type) {
	case *Header:
		return checkSchema(r.Schema)
	case *Container:
		return errors.Join(given("id", r.ID), checkContainer(r))
	case *Syscall:
		return errors.Join(given("container", r.Container), r.check())
	case *Capability:
		return errors.Join(given("container", r.Container), r.check())
	case *Connect:
		return errors.Join(given("container", r.Container), r.check())
	case *Accept:
		return errors.Join(given("container", r.Container), checkProtocol(r.Protocol),
			optionalAddress("address", r.Address), checkAddress("remote", r.Remote),
			checkPort("port", r.Port), checkPort("peerPort", r.PeerPort))
	case *Listen:
		return errors.Join(given("container", r.Container), checkProtocol(r.Protocol),
			checkAddress("address", r.Address), checkPort("port", r.Port))
	}
	return checkOther(rec)
}

func checkOther(rec Record) error {
	switch r := rec.(type) {
	case *Denied:
		return errors.Join(given("container", r.Container), checkNumber(r.Arch, r.Nr))
	case *Counts:
		return errors.Join(given("container", r.Container), r.check())
	case *Exit:
		return given("container", r.Container)
	case *Loss:
		return given("probe", r.Probe)
	case *Last:
		return errors.Join(given("container", r.Container), checkNumber(r.Arch, r.Nr), r.check())
	case *Exec:
		return errors.Join(given("container", r.Container), r.check())
	case *File:
		return errors.Join(given("container", r.Container), r.check())
	case *End:
		return oneOf("complete", r.Complete, CompleteTrue, CompleteFalse, CompleteUnknown)
	}
	return fmt.Errorf("%T is no record", rec)
}

// checkSchema takes any v1: fields that a later minor version adds are counted.
func checkSchema(schema string) error {
	version, ok := strings.CutPrefix(schema, "advisor.trace/")
	switch {
	case !ok:
		return fmt.Errorf("%w: schema is %q", ErrNotTrace, schema)
	case version != "v1" && !strings.HasPrefix(version, "v1."):
		return fmt.Errorf("%w: schema is %q, from a later one", ErrLater, schema)
	}
	return nil
}

func checkContainer(c *Container) error {
	var errs []error
	for _, ip := range c.IPs {
		errs = append(errs, checkAddress("ips", ip))
	}
	if p := c.UnprivilegedPortStart; p != nil && (*p < 0 || *p > 65536) {
		errs = append(errs, fmt.Errorf("unprivilegedPortStart is %d, not 0 to 65536", *p))
	}
	return errors.Join(errs...)
}

func (s *Syscall) check() error {
	errs := []error{checkPhase(s.Phase), given("arch", s.Arch), checkNumber(s.Arch, s.Nr)}
	seen := 0
	for _, arg := range s.Args {
		if arg.Index < 0 || arg.Index > 5 || seen&(1<<arg.Index) != 0 {
			return fmt.Errorf("args: index %d twice, or not 0 to 5", arg.Index)
		}
		seen |= 1 << arg.Index
	}
	return errors.Join(errs...)
}

func (c *Capability) check() error {
	return errors.Join(checkPhase(c.Phase), given("name", c.Name),
		oneOf("userns", c.UserNS, "", UserNSContainer, UserNSHost, UserNSOther),
		oneOf("audit", c.Audit, "", AuditTrue, AuditFalse, AuditUnknown))
}

func (c *Connect) check() error {
	return errors.Join(checkProtocol(c.Protocol),
		checkAddress("remote", c.Remote), checkPort("port", c.Port),
		optionalAddress("requested", c.Requested), checkPort("requestedPort", c.RequestedPort),
		optionalAddress("translated", c.Translated), checkPort("translatedPort", c.TranslatedPort),
		optionalAddress("source", c.Source), checkPort("local", c.Local),
		oneOf("result", c.Result, ResultEstablished, ResultRefused, ResultTimeout,
			ResultUnreachable, ResultFailed, ResultPending, ResultSent))
}

func (c *Counts) check() error {
	for _, n := range c.Counts {
		if n.Fact == "" {
			return errors.New("counts: fact is missing")
		}
	}
	return nil
}

func checkPhase(p Phase) error { return oneOf("phase", p, PhaseStart, PhaseRun) }

func checkProtocol(p string) error { return oneOf("protocol", p, TCP, UDP, SCTP) }

// checkNumber knows no highest call: kernels newer than the tables have more.
func checkNumber(arch string, nr int) error {
	if nr < 0 || nr > math.MaxInt32 {
		return fmt.Errorf("nr is %d, no number of a system call", nr)
	}
	if arch == ArchX32 && nr >= 1<<30 {
		return fmt.Errorf("nr is %d: numbers of x32 stand without bit 30", nr)
	}
	return nil
}

func checkPort(field string, port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("%s is %d, not 0 to 65535", field, port)
	}
	return nil
}

func checkAddress(field, address string) error {
	if _, err := netip.ParseAddr(address); err != nil {
		return fmt.Errorf("%s is %q, no IP address", field, address)
	}
	return nil
}

func optionalAddress(field, address string) error {
	if address == "" {
		return nil
	}
	return checkAddress(field, address)
}

func given(field, value string) error {
	if value == "" {
		return fmt.Errorf("%s is missing", field)
	}
	return nil
}

func oneOf[T ~string](field string, value T, list ...T) error {
	for _, v := range list {
		if v == value {
			return nil
		}
	}
	var names []string
	for _, v := range list {
		if v != "" {
			names = append(names, string(v))
		}
	}
	return fmt.Errorf("%s is %q, not %s", field, value, strings.Join(names, ", "))
}
