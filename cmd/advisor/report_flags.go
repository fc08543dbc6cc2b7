package main

import (
	"errors"
	"net/netip"
	"os"

	"advisor/policies/caps"
	"advisor/policies/netpol"
	"advisor/policies/seccomp"
	"advisor/report"
)

// seccompFlags are the choices of seccomp profiles.
type seccompFlags struct {
	Runtime      string   `placeholder:"NAME" offer:"runc crun" help:"The runtime that loads the profile: runc, crun, \"runc 1.1.5\"; default: as recorded."`
	NoNewPrivs   string   `enum:"auto,on,off" default:"auto" help:"Whether the workload runs with no_new_privs: auto, on or off."`
	Action       string   `enum:"errno,kill,log" default:"errno" help:"What happens to other calls: errno, kill or log."`
	Add          []string `placeholder:"CALL" help:"Allow these calls too."`
	Base         string   `placeholder:"PATH" help:"Allow what this profile allows too."`
	SpellOut     bool     `help:"Refuse every call by name, for engines without defaultErrnoRet, such as Docker 20.10."`
	Arguments    bool     `help:"Restrict calls to the recorded arguments."`
	Capabilities []string `placeholder:"NAME" help:"The capabilities the workload will have: conditions in --base depend on them."`
}

func (f seccompFlags) options() (seccomp.Options, error) {
	opt := seccomp.Options{
		Runtime: f.Runtime, Action: f.Action, Add: f.Add, Arguments: f.Arguments, SpellOut: f.SpellOut,
		Context: seccomp.Context{Capabilities: f.Capabilities},
	}
	if f.NoNewPrivs != "auto" {
		on := f.NoNewPrivs == "on"
		opt.NoNewPrivileges = &on
	}
	if f.Base == "" {
		return opt, nil
	}
	text, err := os.ReadFile(f.Base)
	if err != nil {
		return opt, err
	}
	base, errs := seccomp.Parse(f.Base, text)
	opt.Base, opt.BaseText = &base, text
	return opt, errors.Join(errs...)
}

// netpolFlags are the choices of network policies.
type netpolFlags struct {
	DefaultDeny bool   `help:"Add a policy to each namespace that isolates all its pods."`
	Unresolved  string `enum:"ipblock,omit,fail" default:"ipblock" help:"What to do with peers that are not known: ipblock, omit or fail."`
	Dialect     string `placeholder:"NAME" offer:"dialects" help:"The network plugin to prove the policies for: ${dialects}; default: the first."`

	ServicePorts     string             `enum:"target,both" default:"target" help:"Ports of egress to a Service: target, or both for agents that decide before translation."`
	ExternalIngress  string             `enum:"cidr,any,none" default:"cidr" help:"Sources outside the cluster: cidr (those seen), any, or none."`
	CIDRAggregate    netpol.Aggregation `name:"cidr-aggregate" placeholder:"BITS[,ADDED]" help:"Merge external addresses into prefixes at most BITS shorter, with at most ADDED addresses that were not seen."`
	NodeCIDR         []netip.Prefix     `name:"node-cidr" placeholder:"PREFIX" help:"The range of the nodes' addresses: a rule for one node is for all of them."`
	NamedPorts       bool               `help:"Write ports by name where all pods that a rule may reach declare that name."`
	SystemNamespaces bool               `help:"Make policies for kube-* and openshift-* too."`
}

func (f netpolFlags) options() netpol.Options {
	return netpol.Options{
		DefaultDeny: f.DefaultDeny, Unresolved: f.Unresolved, Dialect: f.Dialect,
		ServicePorts: f.ServicePorts, ExternalIngress: f.ExternalIngress,
		CIDRAggregate: f.CIDRAggregate, SystemNamespaces: f.SystemNamespaces, NamedPorts: f.NamedPorts,
		NodeCIDRs: f.NodeCIDR,
	}
}

// capsFlags are the choices of capability lists.
type capsFlags struct {
	Engine         string `placeholder:"NAME" offer:"engines" help:"The engine that will resolve the list: ${engines}."`
	PortStart      *int   `name:"unprivileged-port-start" placeholder:"N" help:"net.ipv4.ip_unprivileged_port_start where the workload will run; default: as recorded."`
	SeccompProfile string `placeholder:"PATH" help:"Name this profile, below the kubelet's folder for them, in the security context."`

	Verified []string `placeholder:"PATH" help:"What advisor verify -o PATH found, shown beside what is inferred. What it showed to be necessary is added."`
	Least    bool     `help:"Leave out what the experiment of --verified could do without."`
}

// request adds the choices to a request.
func (f capsFlags) request(req report.Request) (report.Request, error) {
	if f.Least && len(f.Verified) == 0 {
		return req, hint(errors.New("--least goes with --verified"), "advisor verify -o verified.json makes the file")
	}
	var err error
	req.Caps = caps.Options{
		Engine: f.Engine, PortStart: f.PortStart, SeccompProfile: f.SeccompProfile, Least: f.Least,
	}
	req.Verified, err = report.LoadVerified(f.Verified)
	return req, err
}

// clusterFlags name what is known beside the traces.
type clusterFlags struct {
	Manifests []string `short:"m" placeholder:"PATH" help:"Manifests, also the output of kubectl get -o yaml: files, directories or '-'. They say who has which address, and where pods stand in the Pod Security Standards."`
	Namespace string   `short:"n" placeholder:"NAME" help:"Where manifests are applied that name no namespace themselves; default: default."`
}

// load reads the manifests. What is wrong with one of them is told, and the
// rest counts.
func (f clusterFlags) load(s streams) (report.Manifests, error) {
	m, err := report.LoadManifestsIn(f.Namespace, f.Manifests, s.in)
	for _, p := range m.Wrong() {
		s.say("%s", p)
	}
	return m, err
}
