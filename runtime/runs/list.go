package runs

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

func isNotExist(err error) bool { return errors.Is(err, store.ErrNotExist) }

// Summary is a run in a list.
type Summary struct {
	Run     *record.Run    `json:"run"`
	Status  record.Status  `json:"status"`
	EndedAt time.Time      `json:"ended_at,omitzero"`
	Reason  string         `json:"reason,omitempty"`
	Message string         `json:"message,omitempty"`
	Outputs []record.Datum `json:"outputs,omitempty"`
}

// entry is a run in the index.
type entry struct {
	key string      // "": there is none
	run *record.Run // only its names and the time of its creation
}

// entries returns the runs of a pipeline, or of all pipelines for "", newest first. It reads only as much of the index
// as the caller consumes.
func (r *Reader) entries(ctx context.Context, pipeline string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		names := []string{pipeline}
		if pipeline == "" {
			var err error
			if names, err = r.Pipelines(ctx); err != nil {
				yield(entry{}, err)
				return
			}
		}
		var h streams
		begin := func(_ context.Context, name string) (stream, error) {
			next, stop := iter.Pull2(r.store.List(ctx, record.IndexDir(r.namespace)+name+"/", ""))
			s := stream{next: next, stop: stop}
			err := s.advance()
			if err != nil {
				stop()
			}
			return s, err
		}
		defer func() {
			for _, s := range h {
				s.stop()
			}
		}()
		for s, err := range ahead(ctx, r.window(), each(names), begin, func(s stream) { s.stop() }) {
			if err != nil {
				yield(entry{}, err)
				return
			}
			h = append(h, s)
		}
		heap.Init(&h)
		for len(h) > 0 {
			s := &h[0]
			if s.head.key == "" { // at the end
				heap.Pop(&h).(stream).stop()
				continue
			}
			if !yield(s.head, nil) {
				return
			}
			if err := s.advance(); err != nil {
				yield(entry{}, err)
				return
			}
			heap.Fix(&h, 0)
		}
	}
}

// stream is the unread part of a pipeline's index.
type stream struct {
	head entry // its key is "" at the end
	next func() (string, error, bool)
	stop func()
}

// advance moves to the next entry.
func (s *stream) advance() error {
	for {
		key, err, more := s.next()
		if err != nil || !more {
			s.head = entry{}
			return err
		}
		if run, ok := record.IndexEntry(key); ok {
			s.head = entry{key, run}
			return nil
		}
	}
}

// streams are sorted by their heads, newest first. Streams at their end come first.
type streams []stream

func (h streams) Len() int { return len(h) }
func (h streams) Less(i, j int) bool {
	a, b := h[i].head, h[j].head
	switch {
	case a.key == "" || b.key == "":
		return a.key == "" && b.key != ""
	case !a.run.CreatedAt.Equal(b.run.CreatedAt):
		return a.run.CreatedAt.After(b.run.CreatedAt)
	}
	return a.key < b.key
}
func (h streams) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push and Pop implement heap.Interface.
func (h *streams) Push(x any) { *h = append(*h, x.(stream)) }

// Pop removes the last stream.
func (h *streams) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// Pipelines returns the names of the pipelines that have runs, sorted.
func (r *Reader) Pipelines(ctx context.Context) ([]string, error) {
	return store.FoldersIn(ctx, r.store, record.IndexDir(r.namespace))
}

// List returns the runs of a pipeline, or of all pipelines for "", newest first. It reads ahead if the store is remote.
func (r *Reader) List(ctx context.Context, pipeline string) iter.Seq2[Summary, error] {
	return r.ListWith(ctx, pipeline, &ListOptions{})
}

// ListOptions configure a list. Their functions are called with the names of a run and the time of its creation, also
// concurrently, and may be nil.
type ListOptions struct {
	// Known returns the summary of a run whose records need not be read, or nil. The records of a run that has ended don't change.
	Known func(*record.Run) *Summary
	// Damaged returns what is listed for a run whose records can't be read. Without it, the list ends with the error.
	Damaged func(*record.Run, error) Summary
}

// ListWith is List with options.
func (r *Reader) ListWith(ctx context.Context, pipeline string, o *ListOptions) iter.Seq2[Summary, error] {
	read := func(ctx context.Context, e entry) (Summary, error) {
		if o.Known != nil {
			if s := o.Known(e.run); s != nil {
				return *s, nil
			}
		}
		s, err := r.summary(ctx, e)
		if err != nil && o.Damaged != nil && ctx.Err() == nil {
			return o.Damaged(e.run, err), nil
		}
		return s, err
	}
	return func(yield func(Summary, error) bool) {
		for s, err := range ahead(ctx, r.window(), r.entries(ctx, pipeline), read, nil) {
			if err == nil && s.Run == nil {
				continue // removed in the meantime
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

// summary reads a run in the index. Its Run is nil if it has been removed.
func (r *Reader) summary(ctx context.Context, e entry) (Summary, error) {
	var run *record.Run
	var end *record.End
	var g errgroup.Group
	g.SetLimit(min(r.window(), 2))
	g.Go(func() (err error) {
		run, err = r.Read(ctx, e.run.Namespace, e.run.Pipeline, e.run.Name)
		return err
	})
	g.Go(func() (err error) {
		end, err = r.End(ctx, e.run)
		return err
	})
	if err := g.Wait(); isNotExist(err) {
		return Summary{}, nil
	} else if err != nil {
		return Summary{}, err
	}
	s := Summary{Run: run, Status: r.status(run, end)}
	if s.Status == record.Lost || s.Status == record.Running && run.Namespace == Namespace {
		if now, err := r.End(ctx, run); err == nil && now != nil { // it ended between the two reads
			end, s.Status = now, now.Status
		}
	}
	if end != nil {
		s.EndedAt, s.Reason, s.Message, s.Outputs = end.At, end.Reason, end.Message, end.Outputs
	}
	return s, nil
}

// Latest is the name that refers to a pipeline's newest run.
const Latest = "latest"

// NotFoundError reports that no run matches a name, or several do.
type NotFoundError struct {
	Name, Pipeline string
	Fits           []string // some of the matches, if there are several
}

func (e *NotFoundError) Error() string {
	of := ""
	if e.Pipeline != "" {
		of = " of pipeline " + e.Pipeline
	}
	switch {
	case len(e.Fits) > 0:
		return fmt.Sprintf("%q matches several runs%s: %s", e.Name, of, strings.Join(e.Fits, ", "))
	case e.Name == Latest:
		return "there is no run" + of + " yet"
	}
	return fmt.Sprintf("there is no run %q%s", e.Name, of)
}

// Resolve finds the run that name refers to: its name, a unique prefix of its name, or "latest". "" for pipeline means
// any.
func (r *Reader) Resolve(ctx context.Context, pipeline, name string) (*record.Run, error) {
	if name == "" {
		name = Latest
	}
	const few = 5
	var found []entry
	for e, err := range r.entries(ctx, pipeline) {
		if err != nil {
			return nil, err
		}
		if name == Latest || e.run.Name == name {
			found = []entry{e}
			break
		}
		if strings.HasPrefix(e.run.Name, name) && len(found) < few {
			found = append(found, e)
		}
	}
	if len(found) == 1 {
		at := found[0].run
		return r.Read(ctx, at.Namespace, at.Pipeline, at.Name)
	}
	fault := &NotFoundError{Name: name, Pipeline: pipeline}
	for _, e := range found {
		fault.Fits = append(fault.Fits, e.run.Name)
	}
	return nil, fault
}
