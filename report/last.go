package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"advisor/policies"
	"advisor/report/strace"
	"advisor/trace"
)

// ErrNoLast says that a trace holds no last calls of the containers asked for.
var ErrNoLast = errors.New("no last calls")

// LastCalls are the last calls of one container, in the order they were made.
type LastCalls struct {
	Container trace.Container
	Calls     []*trace.Last
}

// Last reads the last calls in a trace, of the containers named by name or by
// the beginning of their id; of all where none is named. The lists are sorted by
// name and id. What was written twice stands there once, with its result.
func Last(name string, containers []string, stdin io.Reader) ([]LastCalls, error) {
	known, calls := make(map[string]trace.Container), make(map[string][]*trace.Last)
	err := withTrace(name, stdin, func(r *trace.Reader) error {
		for {
			rec, err := r.Next()
			var bad *trace.LineError
			switch {
			case errors.As(err, &bad):
				continue
			case errors.Is(err, io.EOF), errors.Is(err, trace.ErrIncomplete):
				return nil
			case err != nil:
				return err
			}
			switch rec := rec.(type) {
			case *trace.Container:
				known[rec.ID] = *rec
			case *trace.Last:
				calls[rec.Container] = append(calls[rec.Container], rec)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	var list []LastCalls
	for id, some := range calls {
		c := known[id]
		c.ID = id
		if isOneOf(c, containers) {
			list = append(list, LastCalls{c, inOrder(some)})
		}
	}
	slices.SortFunc(list, func(a, b LastCalls) int {
		return cmp.Or(strings.Compare(a.Container.Name, b.Container.Name), strings.Compare(a.Container.ID, b.Container.ID))
	})
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrNoLast)
	}
	return list, nil
}

func isOneOf(c trace.Container, names []string) bool {
	workload := policies.WorkloadOf(&c)
	return len(names) == 0 || slices.ContainsFunc(names, func(name string) bool {
		return name == c.Name || name == workload.Name || len(name) >= 4 && strings.HasPrefix(c.ID, name)
	})
}

// inOrder sorts calls by time. A thread makes one call at a time, so two at the
// same time are one, and the one with the result says more.
func inOrder(calls []*trace.Last) []*trace.Last {
	slices.SortStableFunc(calls, func(a, b *trace.Last) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.TID, b.TID), cmp.Compare(resultless(a), resultless(b)))
	})
	return slices.CompactFunc(calls, func(a, b *trace.Last) bool {
		return a.Time.Equal(b.Time) && a.TID == b.TID && a.Nr == b.Nr
	})
}

func resultless(l *trace.Last) int {
	if l.Result == nil {
		return 1
	}
	return 0
}

// Text writes the calls a line each, behind a line about the container. Where
// calls were written for another reason than those before, a line says so.
func (l LastCalls) Text(w io.Writer) error {
	id := l.Container.ID[:min(len(l.Container.ID), 12)]
	var b strings.Builder
	fmt.Fprintf(&b, "# %s: %d calls\n", printable(cmp.Or(l.Container.Name, id)+" ("+cmp.Or(l.Container.Runtime, "unknown runtime")+" "+id+")"), len(l.Calls))
	why := ""
	for _, call := range l.Calls {
		if call.Why != why {
			why = call.Why
			b.WriteString(reason(why))
		}
		b.WriteString(printable(strace.Line(call)) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func reason(why string) string {
	switch why {
	case trace.WhyDenied:
		return "# up to the first call that a filter refused\n"
	case trace.WhySignal:
		return "# up to when the recorder was asked\n"
	case trace.WhyEnd:
		return "# up to the end of the container\n"
	}
	return ""
}
