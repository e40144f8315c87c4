package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"

	"golang.org/x/time/rate"
)

// burst is how many bytes pass at once.
const burst = 256 << 10

// limited is a way to the S3 server on which answers have a limited bandwidth, all connections together. The kernel moves the
// bytes (splice), so it needs little processor time.
type limited struct {
	url      string
	server   string
	listener net.Listener
	tokens   *rate.Limiter
}

// limit opens such a way, which exists until ctx ends.
func limit(ctx context.Context, server string, bytesPerSecond int) (*limited, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &limited{url: "http://" + l.Addr().String(), server: u.Host, listener: l, tokens: rate.NewLimiter(rate.Limit(bytesPerSecond), burst)}
	context.AfterFunc(ctx, func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go w.serve(ctx, c)
		}
	}()
	return w, nil
}

func (w *limited) serve(ctx context.Context, client net.Conn) {
	defer client.Close()
	var dialer net.Dialer
	server, err := dialer.DialContext(ctx, "tcp", w.server)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	for {
		n, err := io.CopyN(client, server, burst)
		if err != nil && !errors.Is(err, io.EOF) || n == 0 {
			return
		}
		if w.tokens.WaitN(ctx, int(n)) != nil {
			return
		}
	}
}
