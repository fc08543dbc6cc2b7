package iprange

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func of(s string) Range { return Of(netip.MustParsePrefix(s)) }

func TestMinus(t *testing.T) {
	for _, tt := range []struct {
		from   string
		except []string
		want   string
	}{
		{"10.0.0.0/8", nil, "[10.0.0.0-10.255.255.255]"},
		{"10.0.0.0/8", []string{"10.0.0.0/8"}, "[]"},
		{"10.0.0.0/30", []string{"10.0.0.1/32", "10.0.0.3/32"}, "[10.0.0.0-10.0.0.0 10.0.0.2-10.0.0.2]"},
		{"0.0.0.0/0", []string{"0.0.0.0/1", "255.255.255.255/32"}, "[128.0.0.0-255.255.255.254]"},
		{"10.0.0.0/30", []string{"::/0", "11.0.0.0/8"}, "[10.0.0.0-10.0.0.3]"},
		{"::/0", []string{"::/1"}, "[8000::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]"},
	} {
		var except []Range
		for _, e := range tt.except {
			except = append(except, of(e))
		}
		if got := fmt.Sprint(Minus(of(tt.from), except)); got != tt.want {
			t.Errorf("%s minus %v: %s, want %s", tt.from, tt.except, got, tt.want)
		}
	}
}

func TestPrefixes(t *testing.T) {
	for _, tt := range []struct{ from, to, want string }{
		{"0.0.0.0", "255.255.255.255", "[0.0.0.0/0]"},
		{"10.0.0.1", "10.0.0.4", "[10.0.0.1/32 10.0.0.2/31 10.0.0.4/32]"},
		{"::", "::1", "[::/127]"},
		{"255.255.255.255", "255.255.255.255", "[255.255.255.255/32]"},
	} {
		r := Range{netip.MustParseAddr(tt.from), netip.MustParseAddr(tt.to)}
		if got := fmt.Sprint(r.Prefixes()); got != tt.want {
			t.Errorf("%v: %s, want %s", r, got, tt.want)
		}
	}
}

func TestCellsAndMerge(t *testing.T) {
	cells := Cells([]Range{of("10.0.0.0/8"), of("10.1.0.0/16"), of("2001:db8::/32")})
	want := []string{
		"0.0.0.0-9.255.255.255", "10.0.0.0-10.0.255.255", "10.1.0.0-10.1.255.255",
		"10.2.0.0-10.255.255.255", "11.0.0.0-255.255.255.255",
		"::-2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:db9::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	}
	var got []string
	for _, c := range cells {
		got = append(got, c.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if merged := fmt.Sprint(Merge(cells)); merged != fmt.Sprint([]Range{Everything4(), Everything6()}) {
		t.Errorf("merged %s", merged)
	}
}
