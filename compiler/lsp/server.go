// Package lsp is pipec's language server: it answers an editor's requests while a project is written. It implements the
// Language Server Protocol over a reader and a writer.
//
// Diagnostics come from the compiler and, if a project has no errors, from the linter's rules. They are about the whole
// project, in which the editor's unsaved texts replace files, and are the same as those of `pipec lint`. Everything else
// (hover, completion, definitions, renaming) uses outlines of the files, which exist even if a file is half written;
// packages outline and names make them. HCL's parser can't provide that: it drops what it can't parse, which is where the
// cursor is. A project is a directory.
//
// Messages are read in order. A request uses the texts at the time of its arrival, and is answered concurrently with later
// ones.
package lsp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"runtime/debug"
	"sync"

	"github.com/sourcegraph/jsonrpc2"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/panics"
)

// Options are what the server needs from the command.
type Options struct {
	// Compile compiles the project in a directory, with texts that replace files, by name.
	Compile func(dir string, unsaved map[string][]byte) (*compiler.Result, error)
	// Lint returns the compiler's diagnostics together with the findings of the rules. nil: the rules are not run.
	Lint func(dir string, r *compiler.Result) ([]diag.Diagnostic, error)
	// Contexts returns the contexts of the kubeconfig. nil: none are offered.
	Contexts func() []string
	Root     *language.Block // the table of the language; nil: language.Root()
	Log      io.Writer
	Version  string
}

// The error codes of the protocol that are used.
const (
	codeParse          = -32700
	codeInvalidRequest = -32600
	codeNoMethod       = -32601
	codeInvalidParams  = -32602
	codeInternal       = -32603
	codeNotInitialized = -32002
	codeFailed         = -32803
	codeCancelled      = -32800
)

// lifecycle is the state of the session.
type lifecycle int

const (
	fresh lifecycle = iota
	running
	shutDown
)

type server struct {
	options Options
	conn    *jsonrpc2.Conn
	log     *log.Logger
	ended   chan int // the exit status

	// The state of the session, written only by the reading goroutine, before all requests that read it.
	state  lifecycle
	client initializeParams
	enc    encoding

	docs  *documents
	cache *outlines
	check *checker
	pages *pages

	mu       sync.Mutex
	inFlight map[jsonrpc2.ID]context.CancelFunc
	closing  bool
	requests sync.WaitGroup
}

// Serve serves one client until it sends exit or its messages end, and returns the exit status that the protocol requires:
// 0 only if the client requested shutdown first.
func Serve(ctx context.Context, in io.Reader, out io.Writer, o Options) int {
	s := &server{
		options: o, enc: utf16, docs: newDocuments(), cache: newOutlines(o.Root),
		log: log.New(o.Log, "pipec lsp: ", 0), ended: make(chan int, 1), inFlight: map[jsonrpc2.ID]context.CancelFunc{},
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.check = newChecker(s)
	s.pages = &pages{files: map[string]string{}}
	defer s.pages.remove()
	checked := make(chan struct{})
	ready := make(chan struct{})
	st := &stream{in: bufio.NewReaderSize(in, 1<<16), out: out, log: s.log.Printf}
	s.conn = jsonrpc2.NewConn(ctx, st, handler{s, ready}, jsonrpc2.SetLogger(s.log))
	close(ready)
	go func() {
		defer close(checked)
		s.check.run(ctx)
	}()
	status := 1
	select {
	case status = <-s.ended:
	case <-s.conn.DisconnectNotify():
		select {
		case status = <-s.ended:
		default:
			if s.state == shutDown {
				status = 0
			}
		}
	case <-ctx.Done():
	}
	cancel()
	_ = s.conn.Close()
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.requests.Wait()
	<-checked
	return status
}

// handler handles the messages in order.
type handler struct {
	*server
	ready chan struct{}
}

// Handle handles a notification immediately. A request copies what it needs of the session, and is answered in a goroutine
// of its own.
func (h handler) Handle(ctx context.Context, conn *jsonrpc2.Conn, r *jsonrpc2.Request) {
	<-h.ready // conn is in its place
	s := h.server
	params := json.RawMessage("{}")
	if r.Params != nil && string(*r.Params) != "null" {
		params = *r.Params
	}
	if r.Notif {
		if err := s.guard(r.Method, func() error { return s.notified(ctx, r.Method, params) }); err != nil {
			s.log.Printf("%s: %v", r.Method, err)
		}
		return
	}
	answer, err := s.asked(r.Method, params)
	if err != nil {
		s.reply(ctx, r, nil, err)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		cancel()
		return
	}
	s.inFlight[r.ID] = cancel
	s.requests.Go(func() {
		defer func() {
			s.mu.Lock()
			delete(s.inFlight, r.ID)
			s.mu.Unlock()
			cancel()
		}()
		var result any
		err := s.guard(r.Method, func() (err error) {
			result, err = answer(ctx)
			return err
		})
		if ctx.Err() != nil {
			err = &jsonrpc2.Error{Code: codeCancelled, Message: "the request was cancelled"}
		}
		s.reply(context.WithoutCancel(ctx), r, result, err)
	})
}

// guard calls f. A panic in f ends only this message and not the session. It is reported on stderr, with its stack.
func (s *server) guard(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.log.Printf("%s: panic: %v\n%s", what, r, debug.Stack())
			err = errors.New(panics.Message(panics.At(), "it with the log of the language server"))
		}
	}()
	return f()
}

func (s *server) reply(ctx context.Context, r *jsonrpc2.Request, result any, err error) {
	if err != nil {
		told, ok := err.(*jsonrpc2.Error)
		if !ok {
			told = &jsonrpc2.Error{Code: codeInternal, Message: err.Error()}
		}
		err = s.conn.ReplyWithError(ctx, r.ID, told)
	} else {
		err = s.conn.Reply(ctx, r.ID, result)
	}
	if err != nil && err != jsonrpc2.ErrClosed {
		s.log.Printf("%s: %v", r.Method, err)
	}
}

// notify sends a notification.
func (s *server) notify(ctx context.Context, method string, params any) {
	if err := s.conn.Notify(ctx, method, params); err != nil && err != jsonrpc2.ErrClosed {
		s.log.Printf("%s: %v", method, err)
	}
}

// cancel cancels a request.
func (s *server) cancel(p cancelParams) error {
	var id jsonrpc2.ID
	if err := json.Unmarshal(p.ID, &id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if cancel, ok := s.inFlight[id]; ok {
		cancel()
	}
	return nil
}
