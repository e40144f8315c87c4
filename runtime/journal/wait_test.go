package journal

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// hanging is a store that is away: a write waits until its context ends.
type hanging struct{ store.Store }

func (hanging) Put(ctx context.Context, _ string, _ io.Reader, _ store.Mode) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// TestBoundedWaits: while the store is away, a caller waits as long as its context, others are not held up by it, Behind
// reports what is not written, and Close ends the write after a few seconds.
func TestBoundedWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := New(hanging{}, &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}, 0, time.Hour)
		begun := time.Now()
		if at := j.Behind(); !at.IsZero() {
			t.Errorf("an empty journal is behind since %s", at)
		}
		j.Add(event(1))
		for i := range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if err := j.FlushContext(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("call %d: %v", i, err)
			}
			cancel()
		}
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("the calls took %s", took)
		}
		j.Add(event(2))
		if at := j.Behind(); !at.Equal(begun) {
			t.Errorf("it is behind since %s, and not since %s", at, begun)
		}
		closing := time.Now()
		j.Close()
		if took := time.Since(closing); took != closeWait {
			t.Errorf("Close took %s", took)
		}
	})
}

// TestBehind: a journal that has written everything is not behind.
func TestBehind(t *testing.T) {
	j := New(local(t), &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}, 0, time.Hour)
	defer j.Close()
	j.Add(event(1))
	if j.Behind().IsZero() {
		t.Error("an event waits, and the journal is not behind")
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	if at := j.Behind(); !at.IsZero() {
		t.Errorf("everything is written, and the journal is behind since %s", at)
	}
}

// away is a store that can't be reached. It counts the writes that are tried.
type away struct {
	store.Store
	writes int
}

func (a *away) Put(context.Context, string, io.Reader, store.Mode) error {
	a.writes++
	return errors.New("no route to host")
}

// TestOneTimer: while the store can't be reached, the log is written about once a second, however often callers flush it
// meanwhile.
func TestOneTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &away{}
		j := New(s, &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}, 0, 0)
		j.Add(event(1))
		const hour, flushes = 3600, 600
		for range flushes {
			time.Sleep(hour / flushes * time.Second)
			if err := j.Flush(); err == nil {
				t.Fatal("the log was written")
			}
		}
		j.Close()
		if s.writes > 2*hour {
			t.Errorf("%d writes were tried in an hour", s.writes)
		}
	})
}
