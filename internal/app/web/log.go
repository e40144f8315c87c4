package web

import (
	"context"
	"net/http"
	"strconv"

	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

// Line is a line of a log.
type Line struct {
	N    int    `json:"n"` // from 1
	Text string `json:"t"`
	Part string `json:"p,omitempty"` // as in record.Event
}

// How much of a log is sent at once.
const (
	maxLines     = 5000
	maxLineBytes = 8 << 20
)

// window keeps lines of a log, and counts all.
type window struct {
	from, to int // the numbers of the lines to keep; to is not among them; 0: the last ones
	n        int
	bytes    int
	lines    []Line
}

// add adds a line. The last lines are kept if the window has no end.
func (w *window) add(e *record.Event) {
	if e.Part == record.PartState {
		return // a later event has the line
	}
	w.n++
	if w.to > 0 && (w.n < w.from || w.n >= w.to) {
		return
	}
	w.lines = append(w.lines, Line{N: w.n, Text: e.Text, Part: string(e.Part)})
	w.bytes += len(e.Text)
	drop := 0
	for len(w.lines)-drop > maxLines || w.bytes > maxLineBytes && len(w.lines)-drop > 1 {
		w.bytes -= len(w.lines[drop].Text)
		drop++
	}
	if w.to == 0 {
		w.lines = w.lines[drop:]
	} else if drop > 0 {
		w.lines = w.lines[:len(w.lines)-drop]
	}
}

// Log is a part of a log.
type Log struct {
	Lines []Line `json:"lines"`
	Total int    `json:"total"` // the number of lines so far
}

// logOptions reads which log a request is about.
func logOptions(r *http.Request) (runs.LogOptions, error) {
	q := r.URL.Query()
	attempt, err := number(q.Get("attempt"), 0)
	if err != nil || q.Get("step") == "" {
		return runs.LogOptions{}, badRequest("expected a step and the number of an attempt")
	}
	return runs.LogOptions{Steps: []string{q.Get("step")}, Attempt: attempt}, nil
}

func number(text string, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest("expected a number, found %q", text)
	}
	return n, nil
}

// log writes lines of a log: from `from` on, or the last ones.
func (s *Server) log(w http.ResponseWriter, r *http.Request, a *at) error {
	o, err := logOptions(r)
	if err != nil {
		return err
	}
	from, err := number(r.URL.Query().Get("from"), 0)
	if err != nil {
		return err
	}
	win := &window{}
	if from > 0 {
		win.from, win.to = from, from+maxLines
	}
	if err := a.lines(r.Context(), o, win.add); err != nil {
		return err
	}
	return reply(w, &Log{Lines: orEmpty(win.lines), Total: win.n})
}

// lines passes on the lines of a log as the orchestrator of the run reads them.
func (a *at) lines(ctx context.Context, o runs.LogOptions, add func(*record.Event)) error {
	return a.of.Runs.Logs(ctx, &orchestrator.LogsRequest{
		RunRequest: orchestrator.RunRequest{Pipeline: a.run.Pipeline, Name: a.run.Name}, LogOptions: o,
		Line: func(e record.Event) error { add(&e); return ctx.Err() },
	})
}

func orEmpty(lines []Line) []Line {
	if lines == nil {
		return []Line{}
	}
	return lines
}

// follow streams a log: first its last lines, then, while the run is driven, each new one.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, a *at) error {
	o, err := logOptions(r)
	if err != nil {
		return err
	}
	win := &window{}
	if err := a.lines(r.Context(), o, win.add); err != nil {
		return err
	}
	out := newStream(w)
	if err := out.send("log", &Log{Lines: orEmpty(win.lines), Total: win.n}); err != nil {
		return nil
	}
	end, err := a.reader.End(r.Context(), a.run)
	if err == nil && end == nil {
		err = a.followFrom(r.Context(), out, o, win.n)
	}
	if err != nil && r.Context().Err() == nil {
		return out.sendFault(err)
	}
	_ = out.send("end", struct{}{})
	_ = out.Flush()
	return nil
}

// followFrom sends the lines of a log after the first n.
func (a *at) followFrom(ctx context.Context, out *stream, o runs.LogOptions, n int) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	o.Follow = true
	lines := make(chan Line, 1000)
	ended := make(chan error, 1)
	go func() {
		defer close(lines)
		at := 0
		ended <- a.lines(ctx, o, func(e *record.Event) {
			line := Line{N: at + 1, Text: e.Text, Part: string(e.Part)}
			if e.Part != record.PartState { // the line is still being written
				at++
			}
			if line.N <= n {
				return
			}
			select {
			case lines <- line:
			case <-ctx.Done():
			}
		})
	}()
	if err := out.Flush(); err != nil {
		return nil // the page is gone
	}
	for line := range lines {
		if err := out.send("line", line); err != nil {
			return nil
		}
		if len(lines) == 0 { // send many at once
			if err := out.Flush(); err != nil {
				return nil
			}
		}
	}
	return <-ended
}
