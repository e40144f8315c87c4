package web

import (
	"bufio"
	"encoding/json"
	"net/http"
	"time"

	"pipec.dev/pipec/internal/app/web/shape"
	"pipec.dev/pipec/runtime/runs"
)

// stream writes server-sent events. It is owned by one goroutine.
type stream struct {
	w     *bufio.Writer
	flush func() error
}

func newStream(w http.ResponseWriter) *stream {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no")
	c := http.NewResponseController(w)
	return &stream{bufio.NewWriterSize(w, 32<<10), c.Flush}
}

// send writes an event. Flush sends it.
func (s *stream) send(event string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	for _, part := range []string{"event: ", event, "\ndata: "} {
		if _, err := s.w.WriteString(part); err != nil {
			return err
		}
	}
	if _, err := s.w.Write(data); err != nil {
		return err
	}
	_, err = s.w.WriteString("\n\n")
	return err
}

// Flush sends what was written.
func (s *stream) Flush() error {
	if err := s.w.Flush(); err != nil {
		return err
	}
	return s.flush()
}

// sendFault reports an error as an event. The response has begun, so it can have no other status.
func (s *stream) sendFault(err error) error {
	if err := s.send("fault", Fault{Error: err.Error()}); err != nil {
		return err
	}
	return s.Flush()
}

// wait waits until records are to be read again: the longer, the longer reading took. It reports false if the request
// has ended.
func (s *Server) wait(r *http.Request, took time.Duration) bool {
	t := time.NewTimer(max(s.o.Every, 5*took))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// live streams the changes of a run, or of the list of runs if the query names no run.
func (s *Server) live(w http.ResponseWriter, r *http.Request) error {
	if r.URL.Query().Get("run") == "" {
		return s.liveList(w, r)
	}
	return s.liveRun(w, r)
}

// liveList sends the list of runs whenever it has changed.
func (s *Server) liveList(w http.ResponseWriter, r *http.Request) error {
	f, err := s.newFilter(r.URL.Query())
	if err != nil {
		return err
	}
	out := newStream(w)
	var last *shape.List
	for {
		began := time.Now()
		list, err := s.collect(r.Context(), f)
		if err != nil {
			return out.sendFault(err)
		}
		if last == nil || differ(last, list) {
			if err := out.send("runs", list); err != nil {
				return nil // the page is gone
			}
			if err := out.Flush(); err != nil {
				return nil
			}
			last = list
		}
		if !s.wait(r, time.Since(began)) {
			return nil
		}
	}
}

func differ(a, b *shape.List) bool {
	if len(a.Runs) != len(b.Runs) || a.More != b.More || len(a.Pipelines) != len(b.Pipelines) || len(a.Faults) != len(b.Faults) {
		return true
	}
	for i := range a.Runs {
		if changed(&a.Runs[i], &b.Runs[i]) {
			return true
		}
	}
	return false
}

// Delta is what has changed in a run.
type Delta struct {
	Steps []shape.Step `json:"steps,omitempty"` // that have changed or are new
	Order []string     `json:"order,omitempty"` // the names of all steps, if there are new ones
}

// liveRun sends the steps of a run that have changed, and the whole run when it has ended.
func (s *Server) liveRun(w http.ResponseWriter, r *http.Request) error {
	a, err := s.at(r)
	if err != nil {
		return err
	}
	a.done()
	out := newStream(w)
	was := map[string]shape.Step{}
	for first := true; ; first = false {
		began := time.Now()
		d, err := s.show(r, a)
		if err != nil {
			return out.sendFault(err)
		}
		if d.End != nil || first {
			if err := out.send("run", a.detail(d)); err != nil {
				return nil
			}
		}
		if delta := newDelta(was, d); len(delta.Steps) > 0 && !first {
			if err := out.send("steps", delta); err != nil {
				return nil
			}
		}
		if d.End != nil {
			_ = out.send("end", struct{}{})
			_ = out.Flush()
			return nil
		}
		if err := out.Flush(); err != nil || !s.wait(r, time.Since(began)) {
			return nil
		}
	}
}

// show reads a run with a reader that is not too old.
func (s *Server) show(r *http.Request, a *at) (*runs.Detail, error) {
	reader, done, err := s.readers[a.stack].get(r.Context())
	if err != nil {
		return nil, err
	}
	defer done()
	return reader.Show(r.Context(), a.run)
}

// newDelta returns the steps that differ from those of before, which it updates.
func newDelta(was map[string]shape.Step, d *runs.Detail) *Delta {
	out, before := &Delta{}, len(was)
	for i := range d.Steps {
		now := shape.NewStep(&d.Steps[i])
		if old, ok := was[now.Name]; !ok || old != now {
			was[now.Name] = now
			out.Steps = append(out.Steps, now)
		}
	}
	if len(was) != before {
		for i := range d.Steps {
			out.Order = append(out.Order, d.Steps[i].Name)
		}
	}
	return out
}
