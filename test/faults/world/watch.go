package world

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// watch is the stream of a watch on its way to a client.
type watch struct {
	c     *client
	from  io.ReadCloser
	r     *bufio.Reader
	rest  []byte // of the line that is being read
	lines int    // read so far

	mu    sync.Mutex
	hold  <-chan struct{} // lines wait until it is closed; nil: they don't
	twice int             // how many lines are still to be repeated
	ended chan struct{}
	once  sync.Once
}

func (c *client) newWatch(from io.ReadCloser) *watch {
	w := &watch{c: c, from: from, r: bufio.NewReader(from), ended: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watches = append(c.watches, w)
	return w
}

// Read implements io.Reader: it returns whole lines.
func (w *watch) Read(p []byte) (int, error) {
	if len(w.rest) == 0 {
		line, err := w.r.ReadBytes('\n')
		if err != nil {
			return 0, io.EOF
		}
		w.lines++ // each client hears of it at an instant of its own
		w.c.w.pause(context.Background(), time.Millisecond, fmt.Sprint(w.c.name, " hears ", w.lines))
		w.mu.Lock()
		hold := w.hold
		if w.twice > 0 {
			w.twice--
			line = append(line, line...)
		}
		w.mu.Unlock()
		if hold != nil {
			select {
			case <-hold:
			case <-w.ended:
				return 0, io.EOF
			}
		}
		w.rest = line
	}
	n := copy(p, w.rest)
	w.rest = w.rest[n:]
	return n, nil
}

// Close implements io.Closer.
func (w *watch) Close() error {
	w.once.Do(func() {
		close(w.ended)
		w.c.mu.Lock()
		w.c.watches = slices.DeleteFunc(w.c.watches, func(o *watch) bool { return o == w })
		w.c.mu.Unlock()
	})
	return w.from.Close()
}

// holdUntil keeps lines back until the channel is closed.
func (w *watch) holdUntil(open <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hold = open
}

// repeat has the next lines come twice.
func (w *watch) repeat(lines int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.twice = lines
}

// eachWatch does something with each of the client's watches.
func (c *client) eachWatch(do func(*watch)) {
	c.mu.Lock()
	all := slices.Clone(c.watches)
	c.mu.Unlock()
	for _, w := range all {
		do(w)
	}
}

// interrupt ends the client's watches, one after the other.
func (c *client) interrupt() {
	n := 0
	c.eachWatch(func(w *watch) {
		n++
		time.AfterFunc(c.w.until(time.Millisecond, fmt.Sprint(c.name, " interrupt ", n)), func() { _ = w.Close() })
	})
}
