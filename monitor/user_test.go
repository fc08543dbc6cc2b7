package monitor

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseUser(t *testing.T) {
	tests := []struct {
		text string
		want *User
	}{
		{"", nil},
		{"0:0", &User{}},
		{"4242424242", &User{UID: 4242424242}},
		{"4242424242:7", &User{UID: 4242424242, GID: 7}},
		{"12:34,56,78", &User{UID: 12, GID: 34, Groups: []uint32{56, 78}}},
		{"root:0", &User{}},
	}
	for _, tt := range tests {
		got, err := ParseUser(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", tt.text, diff)
		}
		if again, err := ParseUser(got.String()); err != nil || !cmp.Equal(again.String(), got.String()) {
			t.Errorf("%q reads back as %v, %v", got, again, err)
		}
	}
	for _, text := range []string{"no-such-user", "4294967296", "0:no-such-group", "0:0,no-such-group", ":0"} {
		if u, err := ParseUser(text); err == nil {
			t.Errorf("%q is %v", text, u)
		}
	}
}

func FuzzParseUser(f *testing.F) {
	for _, seed := range []string{"", "root", "1:2,3", "::", "1:,", "daemon:"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseUser(text)
		if err != nil {
			return
		}
		again, err := ParseUser(u.String())
		if err != nil || again.String() != u.String() {
			t.Errorf("%q is %q and then %q, %v", text, u, again, err)
		}
	})
}
