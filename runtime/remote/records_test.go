package remote

import (
	"context"
	"io"
	"sync/atomic"
	"testing"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/record"
)

// reads counts the objects that are read.
type reads struct {
	store.Store
	n atomic.Int32
}

func (s *reads) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	s.n.Add(1)
	return s.Store.Get(ctx, key)
}

// A request to read the records that comes while they are read is met by a second reading, and not dropped.
func TestSyncAgain(t *testing.T) {
	s := &reads{Store: &storetest.Memory{}}
	l := newLoop(t.Context())
	r := &records{loop: l, reader: runs.NewReader(s, work.Dir{}, "n"), run: &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}, timeline: &timeline{}}
	r.sync()
	r.sync()
	r.sync()
	(<-l.calls)() // the end of the first reading
	(<-l.calls)()
	l.background.Wait()
	if n := s.n.Load(); n != 2 || r.reading || len(l.calls) > 0 {
		t.Errorf("%d readings, want 2; reading is %v", n, r.reading)
	}
}
