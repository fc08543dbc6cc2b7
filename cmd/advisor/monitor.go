package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// exitMonitor is advisor's own failure where a command's code is passed on, as
// with env(1) and docker run.
const exitMonitor = 125

// monitorCmd is the record phase.
type monitorCmd struct {
	Output string `short:"o" placeholder:"PATH" help:"Trace to write; '-' is stdout. A name in .zst is compressed. Default: ./trace.log."`
	Append bool   `xor:"existing" help:"Continue a trace that exists."`
	Force  bool   `xor:"existing" help:"Replace a trace that exists."`

	Rotate byteSize `placeholder:"SIZE" help:"Begin another file when the trace has grown to SIZE, such as 100M: trace.log becomes trace.0001.log. Each file reads alone, and all together as one."`

	selection

	Duration   time.Duration `placeholder:"D" help:"Stop after this long, such as 10m."`
	UntilQuiet time.Duration `placeholder:"D" help:"Stop when nothing new was seen for this long."`
	UntilExit  bool          `help:"Stop when every selected container has ended, each named one included."`
	ReadyFile  string        `placeholder:"PATH" help:"Make this file once every probe is attached."`

	Denied    string `enum:"auto,on,off" default:"auto" help:"Record calls that a filter refuses: auto, on or off."`
	Outcomes  string `enum:"auto,on,off" default:"auto" help:"Record how calls that checked a capability ended: auto, on or off."`
	Arguments bool   `help:"Record arguments that are flags, families and commands."`
	Counts    bool   `help:"Count the occurrences of each fact."`
	Files     bool   `help:"Record programs that are run, and which file systems are read and written where."`
	Last      int    `placeholder:"N" help:"Keep the last N calls of each container, with paths; written when it ends, at the first refused call and on SIGUSR1."`

	StrictCompat bool `help:"Ask every call for its ABI, so that int 0x80 in 64-bit programs never hides."`

	Slots   int  `placeholder:"N" help:"How many containers to record at a time; default: 2047, the most there can be."`
	Pin     bool `xor:"pin" help:"Record on in the kernel should advisor be killed, until --resume or --cleanup."`
	Resume  bool `xor:"pin" help:"Take up the recording of a killed advisor."`
	Cleanup bool `xor:"pin" help:"Only end the recording of a killed advisor."`
	Verbose bool `short:"v" help:"Log what the recorder does."`

	Command []string `arg:"" optional:"" passthrough:"" name:"command" help:"After '--': a command to run and record."`
}

// selection says which containers to record, in the words of kubectl.
type selection struct {
	Container     []string          `short:"c" placeholder:"NAME" help:"Containers by name or id; they need not exist yet. Default: every container."`
	Pod           []string          `short:"p" placeholder:"NAME" help:"Containers of these pods."`
	Namespace     []string          `short:"n" placeholder:"NAME" help:"Containers in these Kubernetes namespaces."`
	AllNamespaces bool              `short:"A" help:"Containers in all namespaces, the default."`
	Selector      map[string]string `short:"l" mapsep:"," placeholder:"KEY=VALUE" help:"Containers with these labels."`
	Image         []string          `placeholder:"REF" help:"Containers of these images."`
	Host          bool              `help:"Services of the host as well."`
}

// text is the selection as the flags that make it.
func (s selection) text() []string {
	var list []string
	for _, f := range []struct {
		flag   string
		values []string
	}{{"--container", s.Container}, {"--pod", s.Pod}, {"--namespace", s.Namespace}, {"--image", s.Image}} {
		for _, v := range f.values {
			list = append(list, f.flag+"="+v)
		}
	}
	for _, key := range sortedKeys(s.Selector) {
		list = append(list, "--selector="+key+"="+s.Selector[key])
	}
	if s.Host {
		list = append(list, "--host")
	}
	return list
}

// command is what stands behind "--". A word in its place without it is most
// likely a trace that lacks its -o.
func (c *monitorCmd) command() ([]string, error) {
	if len(c.Command) == 0 {
		return nil, nil
	}
	if strings.HasPrefix(c.Command[0], "-") && c.Command[0] != "--" {
		return nil, hint(fmt.Errorf("unknown flag %s", c.Command[0]), "advisor monitor --help lists them")
	}
	if c.Command[0] != "--" {
		return nil, hint(fmt.Errorf("unexpected argument %s", c.Command[0]),
			"-o %s writes the trace there; -c %s records the container of that name; -- %s runs that command and records it",
			c.Command[0], c.Command[0], strings.Join(c.Command, " "))
	}
	if len(c.Command) == 1 {
		return nil, errors.New("expected a command after --")
	}
	return c.Command[1:], nil
}

// path is where the trace goes.
func (c *monitorCmd) path() string {
	if c.Output == "" {
		return "trace.log"
	}
	return c.Output
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
