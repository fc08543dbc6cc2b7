package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Mendable is a file that can be put right in place, as an [os.File] that was not
// opened for appending.
type Mendable interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
}

// Compressed tells whether a trace is compressed with zstd, by its first bytes.
func Compressed(f io.ReaderAt) bool {
	start := make([]byte, sniffed)
	n, _ := f.ReadAt(start, 0)
	return isZstd(start[:n])
}

// Mend makes a compressed trace of size bytes one that another frame can follow.
// Whose writer was killed ends in the middle of a frame: all that was written
// behind it would be taken for a part of that. A block that is not whole is
// taken off, and the frame gets an end. The error is of the file, or says that
// it holds something else.
func Mend(f Mendable, size int64) error {
	for at := int64(0); at < size; {
		frame, err := walkFrame(f, at, size)
		switch {
		case err != nil:
			return err
		case !frame.whole:
			return frame.end(f, at)
		}
		at = frame.at
	}
	return nil
}

// frame is how far one can be read.
type frame struct {
	at         int64 // behind its last whole block, or behind it
	whole      bool
	headed     bool // its header is
	sized      bool // its header says how long the content is
	descriptor byte
}

// Values of a frame's layout (RFC 8878, 3.1.1).
const (
	frameMagic    = 4 // bytes
	frameChecksum = 4
	checksumFlag  = 1 << 2 // of the descriptor, behind the magic number
	blockHeader   = 3
	blockRLE      = 1
	blockReserved = 3
	lastBlock     = 1
)

// walkFrame goes over the frame at an offset, block by block.
func walkFrame(f io.ReaderAt, at, size int64) (frame, error) {
	start := make([]byte, min(size-at, zstd.HeaderMaxSize))
	if _, err := f.ReadAt(start, at); err != nil && !errors.Is(err, io.EOF) {
		return frame{}, fmt.Errorf("reading a trace: %w", err)
	}
	var header zstd.Header
	switch err := header.Decode(start); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return frame{at: at}, nil
	case err != nil:
		return frame{}, fmt.Errorf("%w: byte %d begins no frame of zstd: %w", ErrNotTrace, at, err)
	case header.Skippable:
		end := at + int64(header.HeaderSize) + int64(header.SkippableSize)
		return frame{at: min(end, size), whole: end <= size}, nil
	}
	fr := frame{
		at: at + int64(header.HeaderSize), headed: true, sized: header.HasFCS, descriptor: start[frameMagic],
	}
	return fr, fr.walkBlocks(f, size)
}

func (fr *frame) walkBlocks(f io.ReaderAt, size int64) error {
	raw := make([]byte, 4)
	for last := false; !last; {
		if fr.at+blockHeader > size {
			return nil
		}
		if _, err := f.ReadAt(raw[:blockHeader], fr.at); err != nil {
			return fmt.Errorf("reading a trace: %w", err)
		}
		block := binary.LittleEndian.Uint32(raw)
		last = block&lastBlock != 0
		length := int64(block >> 3)
		switch block >> 1 & 3 {
		case blockRLE:
			length = 1
		case blockReserved:
			return fmt.Errorf("%w: byte %d begins no block of zstd", ErrNotTrace, fr.at)
		}
		end := fr.at + blockHeader + length
		if last && fr.descriptor&checksumFlag != 0 {
			end += frameChecksum
		}
		if end > size {
			return nil
		}
		fr.at = end
	}
	fr.whole = true
	return nil
}

// end ends a frame that is not whole. What it held so far may break off in the
// middle of a line, so its last block is an end of line.
func (fr frame) end(f Mendable, at int64) error {
	if fr.sized {
		return fmt.Errorf("%w: the frame of zstd at byte %d was cut, and another program made it", ErrNotTrace, at)
	}
	if err := f.Truncate(fr.at); err != nil || !fr.headed {
		return wrapMend(err)
	}
	const newline = 1<<3 | lastBlock // one byte, as it is
	if _, err := f.WriteAt([]byte{newline, 0, 0, '\n'}, fr.at); err != nil {
		return wrapMend(err)
	}
	// The sum of what is gone is not known.
	_, err := f.WriteAt([]byte{fr.descriptor &^ checksumFlag}, at+frameMagic)
	return wrapMend(err)
}

func wrapMend(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("ending a trace that was cut: %w", err)
}
