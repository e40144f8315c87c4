package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/internal/app/web/assets"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/shell"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// handler answers a request, or returns why it can't.
type handler = func(http.ResponseWriter, *http.Request) error

// ofRun opens the run that a request is about.
func (s *Server) ofRun(f func(http.ResponseWriter, *http.Request, *at) error) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		a, err := s.at(r)
		if err != nil {
			return err
		}
		defer a.done()
		return f(w, r, a)
	}
}

// ofPiece opens the run that a request is about, and finds the value or artifact.
func (s *Server) ofPiece(f func(http.ResponseWriter, *http.Request, *at, *piece) error) handler {
	return s.ofRun(func(w http.ResponseWriter, r *http.Request, a *at) error {
		p, err := a.piece(r)
		if err != nil {
			return err
		}
		return f(w, r, a, p)
	})
}

// routes returns the handler of requests that were admitted.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for path, f := range map[string]handler{
		"GET /api/session":  func(w http.ResponseWriter, _ *http.Request) error { return reply(w, s.session()) },
		"GET /api/runs":     s.list,
		"GET /api/run":      s.ofRun(s.run),
		"GET /api/live":     s.live,
		"GET /api/graph":    s.ofRun(s.graph),
		"GET /api/timeline": s.ofRun(s.timeline),
		"GET /api/step":     s.ofRun(s.step),
		"GET /api/log":      s.ofRun(s.log),
		"GET /api/follow":   s.ofRun(s.follow),
		"GET /api/content":  s.ofPiece(s.content),
		"GET /api/files":    s.ofPiece(s.files),
		"GET /api/frame":    s.ofPiece(s.frame),
		"POST /api/cancel":  s.cancel,
		"POST /api/answer":  s.answer,
		"POST /api/plan":    s.plan,
		"POST /api/rerun":   s.rerun,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if err := f(w, r); err != nil {
				failed(w, r, err)
			}
		})
	}
	for name, media := range map[string]string{"app.js": "text/javascript", "app.css": "text/css", "icon.svg": "image/svg+xml"} {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, _ *http.Request) { asset(w, name, media) })
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { asset(w, "index.html", "text/html") })
	return mux
}

func asset(w http.ResponseWriter, name, media string) {
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	_, _ = w.Write(assets.Read(name))
}

// reply writes a response.
func reply(w http.ResponseWriter, v any) error {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // the page may be gone
	return nil
}

// Fault is the response to a request that failed.
type Fault struct {
	Error string `json:"error"`
	Hint  string `json:"hint,omitempty"`
}

// failed writes why a request failed.
func failed(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // the response would have no reader
	}
	var (
		f     *fault.Fault
		none  *runs.NotFoundError
		step  *runs.NoStepError
		large *http.MaxBytesError
	)
	out, status := Fault{Error: err.Error()}, http.StatusInternalServerError
	switch {
	case errors.As(err, &none), errors.As(err, &step), errors.Is(err, errNone):
		status = http.StatusNotFound
	case errors.As(err, &large):
		status = http.StatusRequestEntityTooLarge
	case errors.As(err, &f):
		if out, status = (Fault{f.Message, f.Hint}), http.StatusUnprocessableEntity; f.Message == "" {
			out = Fault{"The project's files have errors.", "`pipec validate` lists them."}
		}
		if f.Kind == fault.Usage {
			status = http.StatusBadRequest
		}
		if f.Kind == fault.Environment {
			status = http.StatusBadGateway
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(out)
}

// errNone reports that there is nothing at an address.
var errNone = errors.New("there is nothing with this name")

// at is the run that a request is about.
type at struct {
	stack  int
	of     *Stack
	reader *runs.Reader
	run    *record.Run
	done   func()
}

// stackOf returns the index of the stack with a name; the first one for "".
func (s *Server) stackOf(name string) (int, error) {
	for i := range s.o.Stacks {
		if name == "" || s.o.Stacks[i].Name == name {
			return i, nil
		}
	}
	return 0, fault.Usagef("this page does not show the stack %q: start `pipec ui` with --stack %s", name, shell.Word(name))
}

// at opens the run that a request is about. The caller calls done.
func (s *Server) at(r *http.Request) (*at, error) {
	q := r.URL.Query()
	return s.find(r, q.Get("stack"), q.Get("pipeline"), q.Get("run"))
}

// find opens a run by its names.
func (s *Server) find(r *http.Request, stack, pipeline, name string) (*at, error) {
	i, err := s.stackOf(stack)
	if err != nil {
		return nil, err
	}
	reader, done, err := s.readers[i].get(r.Context())
	if err != nil {
		return nil, err
	}
	run, err := lookUp(r, reader, pipeline, name)
	if err != nil {
		done()
		return nil, err
	}
	return &at{stack: i, of: &s.o.Stacks[i], reader: reader, run: run, done: done}, nil
}

// lookUp reads the record of a run. Without a pipeline, the name may be the start of one, or "latest".
func lookUp(r *http.Request, reader *runs.Reader, pipeline, name string) (*record.Run, error) {
	if pipeline == "" {
		return records.Find(r.Context(), reader, "", name)
	}
	for _, part := range []string{pipeline, name} { // parts of a key
		if store.CheckKey(part) != nil || bytes.ContainsRune([]byte(part), '/') {
			return nil, errNone
		}
	}
	run, err := reader.Named(r.Context(), pipeline, name)
	if err != nil {
		return nil, records.NotFound(err)
	}
	return run, nil
}
