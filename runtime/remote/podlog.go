package remote

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"hash/maphash"
	"io"
	"time"

	"pipec.dev/pipec/runtime/kubeclient"
)

// errGap says that a stream does not go on where the one before it ended: the node has put the log's file away.
var errGap = errors.New("the log's stream has a gap")

// stream gives the lines of a log, over as many connections as it takes, each line once. It learns where a connection
// takes up again by the times that the node puts before the lines.
type stream struct {
	line func(text []byte, size int) error

	last  time.Time // of the last line given
	same  []uint64  // the lines given of that time, by their hashes; the pieces of a long line count each
	bytes int64     // that came, as the node keeps them: what makes it put a file away
}

// overhead is what the node adds to each line in its file.
const overhead = 40

// read gives the lines of one connection that are new, until it ends. A line without an end is left out: it comes again
// with the next connection, or else from the store. The error is nil at the stream's end.
func (s *stream) read(r io.Reader) error {
	var (
		at     time.Time
		resume = !s.last.IsZero()
		again  int // lines of the time of the last one that came again
		split  splitter
	)
	split.line = func(text []byte, size int) error {
		switch {
		case !resume:
		case at.Before(s.last):
			return nil
		case at.Equal(s.last):
			if again < len(s.same) {
				if maphash.Bytes(seed, text) != s.same[again] {
					return errGap
				}
				again++
				return nil
			}
		case again < len(s.same):
			return errGap
		default:
			resume = false
		}
		if at.After(s.last) {
			s.last, s.same = at, s.same[:0]
		}
		if at.Equal(s.last) { // where times go back, what is older counts as given
			s.same = append(s.same, maphash.Bytes(seed, text))
			again = len(s.same)
		}
		s.bytes += int64(size) + overhead
		return s.line(text, size)
	}
	b := bufio.NewReaderSize(r, 64<<10)
	for start := true; ; {
		piece, err := b.ReadSlice('\n')
		if start && len(piece) > 0 {
			stamp, rest, ok := bytes.Cut(piece, []byte(" "))
			t, bad := time.Parse(time.RFC3339Nano, string(stamp))
			if ok && bad == nil {
				at, piece = t, rest
			}
		}
		if len(piece) > 0 {
			start = piece[len(piece)-1] == '\n'
			if _, err := split.Write(piece); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// connect reads over one more connection.
func (s *stream) connect(ctx context.Context, c *Client, pod, container string) error {
	o := kubeclient.LogOptions{Follow: true, Timestamps: true}
	if !s.last.IsZero() {
		o.Since = s.last.Truncate(time.Second)
	}
	r, err := c.client.PodLog(ctx, pod, container, o)
	if err != nil {
		return err
	}
	defer r.Close()
	return s.read(r)
}
