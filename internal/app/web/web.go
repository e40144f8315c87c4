// Package web is the server of `pipec ui`: it serves the page, and answers its requests with what the use cases of
// internal/app return. Its handlers are thin: they read a request, call runtime/runs or an orchestrator, and write a type of
// package shape as JSON.
//
// It listens on the loopback interface only. Package assets contains the page itself, whose source is in ui/. It opens no
// projects: the caller provides the stacks.
package web

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"pipec.dev/pipec/internal/app/interrupt"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/internal/app/web/shape"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Stack is a stack whose runs are served.
type Stack struct {
	Name  string
	Kind  string // of its orchestrator
	Flags string // with which a command finds the project and the stack, with a space before them
	Runs  Runs
	// Runner compiles the project as it is now, for reruns.
	Runner func() (orchestrator.Orchestrator, error)
}

// Runs is what reads and controls the runs of a stack.
type Runs interface {
	Reader(context.Context) (*runs.Reader, error)
	Cancel(context.Context, *orchestrator.CancelRequest) (*orchestrator.Cancelled, error)
	Answer(context.Context, *orchestrator.AnswerRequest) (*orchestrator.Answered, error)
	Logs(context.Context, *orchestrator.LogsRequest) error
}

// Options configure a server.
type Options struct {
	Stacks  []Stack
	Version string // of pipec
	Port    int    // 0: any free port
	// Every is how often records are read again while a page shows something live. 0: one second.
	Every time.Duration
	// Started is called with the names of runs that the page has started. May be nil.
	Started func(run string)
}

// Server serves the page. It is safe for concurrent use.
type Server struct {
	o       Options
	token   string // in the URL and the cookie
	permit  string // in requests that change something
	page    net.Listener
	frames  net.Listener // serves html artifacts, from an origin of its own
	readers []*readers
	known   []*known
	driven  driven
}

// Listen opens the ports of a server. Serve serves them.
func Listen(o Options) (*Server, error) {
	if len(o.Stacks) == 0 {
		return nil, errors.New("there is no stack")
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	s := &Server{o: o, token: rand.Text(), permit: rand.Text()}
	for i := range o.Stacks {
		s.readers = append(s.readers, &readers{open: o.Stacks[i].Runs.Reader})
		s.known = append(s.known, &known{})
	}
	var err error
	if s.page, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", o.Port)); err != nil {
		return nil, err
	}
	if s.frames, err = net.Listen("tcp4", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, s.page.Close())
	}
	return s, nil
}

// origin returns the origin of a listener.
func origin(l net.Listener) string { return "http://" + l.Addr().String() }

// URL returns the address of the page with the token. path begins with a slash, and may have a query.
func (s *Server) URL(path string) string {
	sep := "?"
	for _, c := range path {
		if c == '?' {
			sep = "&"
		}
	}
	return origin(s.page) + path + sep + "token=" + s.token
}

// Serve serves the page until ctx ends. Then it waits for the runs that the page has started, which end in good order:
// interrupts reach them as they reach `pipec run`. It may be called once.
func (s *Server) Serve(ctx context.Context, interrupts <-chan interrupt.Interrupt) error {
	// Streams end with the context, so that Shutdown does not wait for them.
	base := func(net.Listener) context.Context { return ctx }
	page := &http.Server{Handler: s.guarded(), BaseContext: base, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	frames := &http.Server{Handler: s.framed(), BaseContext: base, ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10}
	failed := make(chan error, 2)
	var serving sync.WaitGroup
	serving.Go(func() { failed <- page.Serve(s.page) })
	serving.Go(func() { failed <- frames.Serve(s.frames) })
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	err = errors.Join(err, page.Close(), frames.Close())
	serving.Wait()
	s.driven.end(interrupts)
	for _, r := range s.readers {
		r.close()
	}
	return err
}

// Driven returns the names of the runs that this process drives.
func (s *Server) Driven() []string { return s.driven.names() }

// session returns what the page requests first.
func (s *Server) session() shape.Session {
	out := shape.Session{Version: s.o.Version, Token: s.permit}
	for i := range s.o.Stacks {
		out.Stacks = append(out.Stacks, shape.Stack{Name: s.o.Stacks[i].Name, Kind: s.o.Stacks[i].Kind})
	}
	return out
}

// Find reads the record of a run of a stack by its name, the start of it, or "latest".
func Find(ctx context.Context, s *Stack, name string) (*record.Run, error) {
	reader, err := s.Runs.Reader(ctx)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return records.Find(ctx, reader, "", name)
}
