package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"sync"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Segment is one piece of a run's log.
type Segment struct {
	Seq    int64
	Events []record.Event
}

// ahead is how many segments of a remote store are read at the same time: the log of a long run has thousands, and each is
// a request.
const ahead = 16

// Read returns the segments of a run's log, in order, up to the first that doesn't exist. It leaves out the events of a
// segment from the first damaged one on (a loss of power can damage one): the results of attempts contain the same facts.
func Read(ctx context.Context, s store.Store, run *record.Run) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		r := newReader(ctx, s, run)
		defer r.close()
		for seq := int64(0); ; seq++ {
			data, err := r.segment(seq)
			if errors.Is(err, store.ErrNotExist) {
				return
			}
			if err != nil {
				yield(Segment{}, err)
				return
			}
			if !yield(Segment{Seq: seq, Events: parse(data)}, nil) {
				return
			}
		}
	}
}

// reader reads segments ahead of the one that is needed. It is used by one goroutine.
type reader struct {
	ctx   context.Context
	stop  context.CancelFunc
	store store.Store
	run   *record.Run

	reading sync.WaitGroup
	answers map[int64]chan answer // of the segments that were requested and not returned
	next    int64                 // the first segment that was not requested
	width   int64                 // how many segments are requested at the same time; it grows, so that a short log needs few requests
	most    int64                 // the limit of width
}

type answer struct {
	data []byte
	err  error
}

func newReader(ctx context.Context, s store.Store, run *record.Run) *reader {
	ctx, stop := context.WithCancel(ctx)
	r := &reader{ctx: ctx, stop: stop, store: s, run: run, answers: map[int64]chan answer{}, width: 1, most: ahead}
	if _, local := store.As[store.Mover](s); local { // it answers as fast as it is asked
		r.most = 1
	}
	return r
}

// segment returns the encoded segment seq. The caller asks for the segments in order.
func (r *reader) segment(seq int64) ([]byte, error) {
	for ; r.next < seq+r.width; r.next++ {
		r.request(r.next)
	}
	r.width = min(r.width*2, r.most)
	a := <-r.answers[seq]
	delete(r.answers, seq)
	return a.data, a.err
}

func (r *reader) request(seq int64) {
	c := make(chan answer, 1)
	r.answers[seq] = c
	r.reading.Go(func() {
		data, err := store.ReadAll(r.ctx, r.store, r.run.LogKey(seq))
		c <- answer{data, err}
	})
}

// close ends all requests, and waits for them: the caller may close the store next.
func (r *reader) close() {
	r.stop()
	r.reading.Wait()
}

// parse decodes the lines of a segment up to the first damaged one.
func parse(data []byte) []record.Event {
	var out []record.Event
	for line := range bytes.Lines(data) {
		var e record.Event
		if json.Unmarshal(line, &e) != nil || e.Version > record.Version {
			break
		}
		out = append(out, e)
	}
	return out
}
