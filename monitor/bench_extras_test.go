package monitor

import (
	"testing"
)

// BenchmarkExtras is what --files and --last cost, beside the recorder with
// neither and with the probe on the way out that both need: of a call that was
// seen before (getppid), and of opening and closing a file. The rounds are
// interleaved; the figures are medians, in ns of a call or a pair, and ratios to
// the recorder with its exit probe.
func BenchmarkExtras(b *testing.B) {
	if err := privileged(Options{}); err != nil {
		skipOrFail(b, err)
	}
	const rounds = 9
	loops := map[string]*loop{
		"call": newLoop(b, true), "read": newAct(b, "opens", true), "write": newAct(b, "rewrites", true),
	}
	calls := map[string]int{"call": 200_000, "read": 20_000, "write": 20_000}
	plain := Options{Denied: "on", Outcomes: "off"}
	files, last, both := plain, plain, plain
	files.Files, last.Last, both.Files, both.Last = true, 100, true, 100
	kinds := []struct {
		name string
		o    Options
	}{{"recorder", Options{Denied: "off", Outcomes: "off"}}, {"exit", plain}, {"files", files}, {"last", last}, {"both", both}}
	cost := make(map[string][]float64)
	for range rounds {
		for _, kind := range kinds {
			stop := recorder(b, kind.o)
			for act, l := range loops {
				l.cost(b, 1000)
				cost[act+"+"+kind.name] = append(cost[act+"+"+kind.name], l.cost(b, calls[act]))
			}
			stop()
		}
	}
	for name, list := range cost {
		b.ReportMetric(median(list), name+"-ns")
	}
	for act := range loops {
		exit := median(cost[act+"+exit"])
		for _, kind := range kinds {
			b.ReportMetric(median(cost[act+"+"+kind.name])/exit, act+"+"+kind.name+"/exit")
		}
	}
	b.ReportMetric(0, "ns/op")
}
