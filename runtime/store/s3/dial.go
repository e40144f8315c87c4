package s3

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// gather is how many bytes a reader of a large part of a body waits for, so that it isn't woken for each packet.
	gather = 128 << 10
	// gatherFor is how long it waits for them, before it takes what has arrived.
	gatherFor = 250 * time.Millisecond
)

// dial connects. It closes a connection on which nothing moves: TCP alone would wait for a quarter of an hour.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	m := &moving{Conn: c, least: 1}
	if s, ok := c.(syscall.Conn); ok {
		m.raw, _ = s.SyscallConn() // without it, nothing is gathered
	}
	return m, nil
}

// moving is a connection with a deadline for each read and write. One goroutine reads from it at a time, as from every
// connection of an http.Transport.
type moving struct {
	net.Conn
	raw   syscall.RawConn // nil: the connection has no socket
	least int             // how many bytes the kernel waits for before a read returns
}

// Read waits until p can be filled, or gather bytes of it, and at most gatherFor. A caller with a large p wants all of it: a
// body is not read beyond its end, and headers are read into small buffers.
func (m *moving) Read(p []byte) (int, error) {
	if len(p) >= gather/2 && m.wait(min(gather, len(p))) {
		n, err := m.read(p, gatherFor)
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	}
	m.wait(1)
	return m.read(p, stall)
}

func (m *moving) read(p []byte, most time.Duration) (int, error) {
	if err := m.SetReadDeadline(time.Now().Add(most)); err != nil {
		return 0, err
	}
	return m.Conn.Read(p)
}

// wait makes reads wait for so many bytes, or for the end of the connection. It reports whether they do.
func (m *moving) wait(bytes int) bool {
	if m.raw == nil {
		return false
	}
	if bytes == m.least {
		return true
	}
	if waitFor(m.raw, bytes) != nil {
		m.raw = nil
		return false
	}
	m.least = bytes
	return true
}

func (m *moving) Write(p []byte) (int, error) {
	if err := m.SetWriteDeadline(time.Now().Add(stall)); err != nil {
		return 0, err
	}
	return m.Conn.Write(p)
}
