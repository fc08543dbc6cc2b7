package main

import "testing"

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{
		"4096": 4096, "1k": 1024, "512K": 512 << 10, "100M": 100 << 20, "100MB": 100 << 20,
		"100MiB": 100 << 20, "1G": 1 << 30, "2T": 2 << 40, "7b": 7,
		"": 0, "0": 0, "M": 0, "-1": 0, "1.5G": 0, "99999999999T": 0, "12X": 0, "1KM": 0,
	} {
		var got byteSize
		if err := got.UnmarshalText([]byte(text)); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q is %d, %v; want %d", text, got, err, want)
		}
	}
}
