package runs

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

func isNotExist(err error) bool { return errors.Is(err, store.ErrNotExist) }

// Summary is a run in a list.
type Summary struct {
	Run     *record.Run   `json:"run"`
	Status  record.Status `json:"status"`
	EndedAt time.Time     `json:"ended_at,omitzero"`
	Reason  string        `json:"reason,omitempty"`
	Message string        `json:"message,omitempty"`
}

// entry is a run as the index knows it.
type entry struct {
	key, pipeline, name string
	created             time.Time
}

// entries gives the runs of a pipeline, of all with "", the newest first. It reads no more of the index than is asked
// of it.
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
		for _, name := range names {
			next, stop := iter.Pull2(r.store.List(ctx, "index/"+name+"/", ""))
			defer stop()
			if _, err := h.advance(stream{next: next}); err != nil {
				yield(entry{}, err)
				return
			}
		}
		for len(h) > 0 {
			s := heap.Pop(&h).(stream)
			if !yield(s.head, nil) {
				return
			}
			if _, err := h.advance(s); err != nil {
				yield(entry{}, err)
				return
			}
		}
	}
}

// stream is what is left of a pipeline's part of the index.
type stream struct {
	head entry
	next func() (string, error, bool)
}

// streams are sorted by their heads, the newest first.
type streams []stream

func (h streams) Len() int { return len(h) }
func (h streams) Less(i, j int) bool {
	a, b := h[i].head, h[j].head
	if !a.created.Equal(b.created) {
		return a.created.After(b.created)
	}
	return a.key < b.key
}
func (h streams) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push and Pop are heap.Interface's.
func (h *streams) Push(x any) { *h = append(*h, x.(stream)) }

// Pop takes the last.
func (h *streams) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// advance puts the stream back with its next entry; ok is false at its end.
func (h *streams) advance(s stream) (ok bool, err error) {
	for {
		key, err, more := s.next()
		if err != nil || !more {
			return false, err
		}
		pipeline, name, created, ok := record.IndexEntry(key)
		if !ok {
			continue
		}
		s.head = entry{key: key, pipeline: pipeline, name: name, created: created}
		heap.Push(h, s)
		return true, nil
	}
}

// Pipelines are the names of the pipelines that have runs, sorted.
func (r *Reader) Pipelines(ctx context.Context) ([]string, error) {
	var out []string
	for after := ""; ; {
		found := ""
		for key, err := range r.store.List(ctx, "index/", after) {
			if err != nil {
				return nil, err
			}
			found, _, _ = strings.Cut(strings.TrimPrefix(key, "index/"), "/")
			break
		}
		if found == "" {
			return out, nil
		}
		out = append(out, found)
		after = "index/" + found + "0" // '0' comes right after '/'
	}
}

// run reads the record of a run that is in the index.
func (r *Reader) run(ctx context.Context, e entry) (*record.Run, error) {
	at, err := store.ReadJSON[record.Indexed](ctx, r.store, e.key)
	if err != nil {
		return nil, err
	}
	return r.Read(ctx, at.Namespace, e.pipeline, e.name)
}

// List gives the runs of a pipeline, of all with "", the newest first.
func (r *Reader) List(ctx context.Context, pipeline string) iter.Seq2[Summary, error] {
	return func(yield func(Summary, error) bool) {
		for e, err := range r.entries(ctx, pipeline) {
			if err != nil {
				yield(Summary{}, err)
				return
			}
			run, err := r.run(ctx, e)
			if isNotExist(err) {
				continue // removed meanwhile
			}
			if err != nil {
				yield(Summary{}, err)
				return
			}
			end, err := r.End(ctx, run)
			if err != nil {
				yield(Summary{}, err)
				return
			}
			s := Summary{Run: run, Status: r.status(run, end)}
			if s.Status == record.Lost || s.Status == record.Running {
				if end, err = r.End(ctx, run); err == nil && end != nil { // it ended between the two looks
					s.Status = end.Status
				}
			}
			if end != nil {
				s.EndedAt, s.Reason, s.Message = end.At, end.Reason, end.Message
			}
			if !yield(s, nil) {
				return
			}
		}
	}
}

// Latest is the word that stands for a pipeline's newest run.
const Latest = "latest"

// NotFoundError says that no run fits, or several do.
type NotFoundError struct {
	Name, Pipeline string
	Fits           []string // those that fit, where there are several; not all
}

func (e *NotFoundError) Error() string {
	of := ""
	if e.Pipeline != "" {
		of = " of pipeline " + e.Pipeline
	}
	switch {
	case len(e.Fits) > 0:
		return fmt.Sprintf("%q stands for several runs%s: %s", e.Name, of, strings.Join(e.Fits, ", "))
	case e.Name == Latest:
		return "there is no run" + of + " yet"
	}
	return fmt.Sprintf("there is no run %q%s", e.Name, of)
}

// Resolve finds the run that name stands for: its name, the start of its name where only one fits, or "latest". "" for
// pipeline means any.
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
		if name == Latest || e.name == name {
			found = []entry{e}
			break
		}
		if strings.HasPrefix(e.name, name) && len(found) < few {
			found = append(found, e)
		}
	}
	if len(found) == 1 {
		return r.run(ctx, found[0])
	}
	fault := &NotFoundError{Name: name, Pipeline: pipeline}
	for _, e := range found {
		fault.Fits = append(fault.Fits, e.name)
	}
	return nil, fault
}
