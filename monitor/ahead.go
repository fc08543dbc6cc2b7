package monitor

import (
	"strings"

	"github.com/cilium/ebpf"
)

// loaded is what became of loading programs.
type loaded struct {
	coll *ebpf.Collection
	err  error
}

// loadAhead has programs loaded while others are: the kernel verifies them on
// several processors at once, and that takes most of the time until recording
// begins.
func (p *probes) loadAhead(names ...string) {
	result := make(chan loaded, 1)
	p.ahead[strings.Join(names, " ")] = result
	go func() {
		coll, err := p.collection(names, p.coll.Maps)
		result <- loaded{coll, err}
	}()
}

// take loads programs over the state, or waits where that is under way.
func (p *probes) take(names []string) (*ebpf.Collection, error) {
	key := strings.Join(names, " ")
	result := p.ahead[key]
	if result == nil {
		return p.collection(names, p.coll.Maps)
	}
	delete(p.ahead, key)
	l := <-result
	return l.coll, l.err
}

// dropAhead closes what was loaded ahead and nobody took.
func (p *probes) dropAhead() {
	for key, result := range p.ahead {
		if l := <-result; l.err == nil {
			l.coll.Close()
		}
		delete(p.ahead, key)
	}
}
