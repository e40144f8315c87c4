package step

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"

	"pipec.dev/pipec/schema/types"
)

// WrongKindError reports that content does not have the artifact's kind.
type WrongKindError struct{ Why string }

func (e *WrongKindError) Error() string { return e.Why }

// CheckStream checks content in the same way as the outputs of a step, while it is read once from its start. It may
// leave a part of it unread. The error is a *WrongKindError or an error of r.
func CheckStream(r io.Reader, a types.Artifact) (format string, err error) {
	in := &remembering{r: r}
	whole := bufio.NewReaderSize(in, 64<<10)
	head, err := whole.Peek(headSize)
	if err != nil && err != io.EOF {
		return "", err
	}
	head = bytes.Clone(head)
	s := &streamed{head: head, rest: whole}
	size := int64(len(head))
	if err == nil {
		size = math.MaxInt64 // kinds that check the end know the size when everything was read
	}
	if a.Kind == "dataframe" && bytes.HasPrefix(head, []byte("PAR1")) {
		if size, err = s.drain(); err != nil {
			return "", err
		}
	}
	format, why := checkContent(s, size, a.Kind)
	switch {
	case in.err != nil:
		return "", in.err
	case why != "":
		return "", &WrongKindError{why}
	}
	return format, nil
}

// CheckFile checks a file or a directory in the same way as the outputs of a step.
func CheckFile(path string, a types.Artifact) (format string, err error) {
	format, why := checkKind(path, a)
	if why != "" {
		return "", &WrongKindError{why}
	}
	return format, nil
}

// remembering stores the error of its reader, to distinguish it from an error in the content.
type remembering struct {
	r   io.Reader
	err error
}

func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// streamed provides what checkContent needs for sequential content: its start, its end after drain, and all of it from
// the start.
type streamed struct {
	head []byte
	rest io.Reader // from the start
	at   int64
	tail []byte // the last bytes, from offset tailAt; set by drain
	from int64
}

func (s *streamed) ReadAt(p []byte, off int64) (int, error) {
	switch {
	case s.tail != nil && off >= s.from:
		n := copy(p, s.tail[min(off-s.from, int64(len(s.tail))):])
		if n < len(p) {
			return n, io.EOF
		}
		return n, nil
	case off+int64(len(p)) <= int64(len(s.head)):
		return copy(p, s.head[off:]), nil
	case off == s.at:
		n, err := io.ReadFull(s.rest, p)
		if s.at += int64(n); errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return n, err
	}
	return 0, fmt.Errorf("it is not read in order, at %d", off)
}

// drain reads to the end, and stores the last bytes.
func (s *streamed) drain() (size int64, err error) {
	const kept = 16
	buf := make([]byte, 32<<10)
	for {
		n, err := s.rest.Read(buf)
		size += int64(n)
		s.tail = append(s.tail, buf[:n]...)
		if cut := len(s.tail) - kept; cut > 0 {
			s.tail = append(s.tail[:0], s.tail[cut:]...)
		}
		if err == io.EOF {
			s.from = size - int64(len(s.tail))
			return size, nil
		}
		if err != nil {
			return size, err
		}
	}
}
