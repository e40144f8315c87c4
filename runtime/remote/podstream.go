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
	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/schema/record"
)

// errGap reports that a connection does not continue where the previous one ended, since the node has rotated the log's
// file.
var errGap = errors.New("the log's stream has a gap")

// podStream reads the log of a pod, over as many connections as necessary, and calls line once with each line, and with
// the states of lines that are overwritten. The times that the node writes before the lines show where a connection continues.
type podStream struct {
	line func(lines.Line) error
	tail *int64 // the first connection starts with so many last lines; nil: with the first line

	last  time.Time // of the last line
	seen  time.Time // of the last piece of a line, which may be incomplete
	same  []uint64  // hashes of the lines with that time; each piece of a long line is one
	bytes int64     // size of the lines in the node's file, which the node rotates by size
}

// overhead is how many bytes the node adds to each line in its file.
const overhead = 40

// read reads the new lines of one connection until it ends. An incomplete last line is left out: the next connection
// or the store has all of it. The error is nil at the end of the stream.
func (s *podStream) read(r io.Reader) error {
	var (
		at     time.Time
		resume = !s.last.IsZero()
		again  int // lines with the time of the last line that the connection has repeated
		seen   = s.seen
	)
	split := lines.NewPaced(func(l lines.Line) error {
		l.At = at
		if l.Part == record.PartState {
			return s.line(l)
		}
		switch {
		case !resume:
		case at.Before(s.last):
			return nil
		case at.Equal(s.last):
			if again < len(s.same) {
				if maphash.Bytes(seed, l.Text) != s.same[again] {
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
		if at.Equal(s.last) { // if times go back, older lines count as read
			s.same = append(s.same, maphash.Bytes(seed, l.Text))
			again = len(s.same)
		}
		s.bytes += int64(l.Size) + overhead
		return s.line(l)
	})
	defer split.Close()
	log := lines.Unmarker{W: writerFunc(func(p []byte) (int, error) {
		if !at.After(seen) { // an earlier connection has shown its states
			return split.Replay(p)
		}
		return split.Write(p)
	})}
	b := bufio.NewReaderSize(r, 64<<10)
	for start := true; ; {
		piece, err := b.ReadSlice('\n')
		if start && len(piece) > 0 {
			stamp, rest, ok := bytes.Cut(piece, []byte(" "))
			t, bad := time.Parse(time.RFC3339Nano, string(stamp))
			if ok && bad == nil {
				at, piece = t, rest
				if at.After(s.seen) {
					s.seen = at
				}
			}
		}
		if len(piece) > 0 {
			start = piece[len(piece)-1] == '\n'
			if _, err := log.Write(piece); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return split.State()
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// writerFunc is an io.Writer.
type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// connect opens another connection, and reads it.
func (s *podStream) connect(ctx context.Context, c *Client, pod, container string) error {
	o := kubeclient.LogOptions{Follow: true, Timestamps: true}
	if s.last.IsZero() {
		o.Tail = s.tail
	} else {
		o.Since = s.last.Truncate(time.Second)
	}
	r, err := c.client.PodLog(ctx, pod, container, o)
	if err != nil {
		return err
	}
	defer r.Close()
	return s.read(r)
}
