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

// ahead is how many segments are read at the same time: a long run has thousands, and each is a request.
const ahead = 16

// Read gives the segments of a run's log, in order, up to the first that isn't there. What is torn (by a loss of power)
// is left out: what the events that are missing would say stands in the results of the attempts too.
func Read(ctx context.Context, s store.Store, run *record.Run) iter.Seq2[Segment, error] {
	return func(yield func(Segment, error) bool) {
		var reading sync.WaitGroup
		defer reading.Wait() // whoever closes the store next must find nobody in it
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		next := map[int64]chan answer{}
		ask := func(seq int64) {
			c := make(chan answer, 1)
			next[seq] = c
			reading.Go(func() {
				data, err := store.ReadAll(ctx, s, run.LogKey(seq))
				c <- answer{data, err}
			})
		}
		width := int64(1) // a short log is read without asking for what isn't there
		asked := int64(0)
		for seq := int64(0); ; seq++ {
			for ; asked < seq+width; asked++ {
				ask(asked)
			}
			a := <-next[seq]
			delete(next, seq)
			if errors.Is(a.err, store.ErrNotExist) {
				return
			}
			if a.err != nil {
				yield(Segment{}, a.err)
				return
			}
			if !yield(Segment{Seq: seq, Events: Parse(a.data)}, nil) {
				return
			}
			width = min(width*2, ahead)
		}
	}
}

type answer struct {
	data []byte
	err  error
}

// Parse reads the lines of a segment up to the first that is damaged.
func Parse(data []byte) []record.Event {
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
