package trace

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxLine is the length from which a line is refused: far more than a
// container's labels can be, far less than memory.
const maxLine = 16 << 20

var errLongLine = fmt.Errorf("line is longer than %d MiB", maxLine>>20)

// lines reads a text line by line in constant memory.
type lines struct {
	in   *bufio.Reader
	long []byte // a line that does not fit the buffer, kept for its capacity
	n    int    // lines read
}

// next returns the next line without its end, good until the next call. Ended
// says that there was an end of line: the last line may be cut. After
// errLongLine the next line can be read.
func (l *lines) next() (line []byte, ended bool, err error) {
	line, err = l.in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		line, err = l.rest(line)
	}
	if len(line) == 0 && err != nil && !errors.Is(err, errLongLine) {
		return nil, false, err
	}
	l.n++
	if errors.Is(err, io.EOF) || err == nil {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		return text, ended, nil
	}
	return nil, false, err
}

// rest reads on where the buffer was too small, and lets go of what is too long.
func (l *lines) rest(start []byte) ([]byte, error) {
	l.long = append(l.long[:0], start...)
	for {
		part, err := l.in.ReadSlice('\n')
		if len(l.long)+len(part) <= maxLine {
			l.long = append(l.long, part...)
		} else {
			l.long = l.long[:maxLine]
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if len(l.long) == maxLine && (err == nil || errors.Is(err, io.EOF)) {
			return nil, errLongLine
		}
		return l.long, err
	}
}
