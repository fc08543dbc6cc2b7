package trace

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

const (
	bufferSize = 1 << 18
	// sniffed is how much of the input tells its format: no more than a pipe has
	// given once there is a header.
	sniffed = 16
	// maxWindow is the most memory that a compressed trace may make the reader
	// take: what zstd's own command line allows without being asked.
	maxWindow = 128 << 20
)

// open makes lines of the input, decompressing it where it begins as zstd does.
func open(r io.Reader) (*lines, error) {
	in := bufio.NewReaderSize(r, bufferSize)
	start, err := in.Peek(sniffed)
	if len(start) == 0 && err != nil && err != io.EOF {
		return nil, err
	}
	if !isZstd(start) {
		if what := foreign(start); what != "" {
			return nil, fmt.Errorf("%w: it is %s; expected lines of JSON, plain or compressed with zstd",
				ErrNotTrace, what)
		}
		return &lines{in: in}, nil
	}
	// One goroutine: what was flushed before a cut is read to its last byte.
	dec, err := zstd.NewReader(in,
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, err
	}
	return &lines{in: bufio.NewReaderSize(dec, bufferSize)}, nil
}

// isZstd knows a frame and a skippable frame (RFC 8878, 3.1).
func isZstd(start []byte) bool {
	return bytes.HasPrefix(start, []byte("\x28\xb5\x2f\xfd")) ||
		len(start) >= 4 && start[0]&0xf0 == 0x50 && bytes.HasPrefix(start[1:], []byte("\x2a\x4d\x18"))
}

// foreign names a well-known format that is no trace, by its first bytes.
func foreign(start []byte) string {
	for _, f := range [...]struct{ magic, name string }{
		{"\x1f\x8b", "gzip data, to be decompressed first"},
		{"BZh", "bzip2 data, to be decompressed first"},
		{"\xfd7zXZ\x00", "xz data, to be decompressed first"},
		{"PK\x03\x04", "a zip archive"},
		{"\xd4\xc3\xb2\xa1", "a packet capture"},
		{"\xa1\xb2\xc3\xd4", "a packet capture"},
		{"\x4d\x3c\xb2\xa1", "a packet capture"},
		{"\x0a\x0d\x0d\x0a", "a packet capture"},
		{"\x7fELF", "an ELF file"},
		{"PERFILE2", "perf data"},
		{"\xff\xfe", "UTF-16 text"},
		{"\xfe\xff", "UTF-16 text"},
		{"<", "HTML or XML"},
		{"[", "a JSON array"},
		{"%PDF", "a PDF"},
		{"---", "YAML"},
		{"apiVersion:", "YAML"},
	} {
		if bytes.HasPrefix(start, []byte(f.magic)) {
			return f.name
		}
	}
	return ""
}
