package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

func local(t *testing.T) *store.Local {
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func event(i int) *record.Event {
	return &record.Event{Version: record.Version, Seq: int64(i), Type: record.TimerFired, Timer: fmt.Sprint(i)}
}

func seqs(t *testing.T, s store.Store, run *record.Run) string {
	t.Helper()
	var out []string
	for segment, err := range Read(t.Context(), s, run) {
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range segment.Events {
			out = append(out, fmt.Sprint(e.Seq))
		}
	}
	return strings.Join(out, " ")
}

func TestReadsWhatWasWritten(t *testing.T) {
	s, run := local(t), &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}
	if got := seqs(t, s, run); got != "" {
		t.Errorf("an empty log has %s", got)
	}
	j := New(s, run, 0, time.Hour)
	var want []string
	for i := range 100 {
		j.Add(event(i))
		want = append(want, fmt.Sprint(i))
		if i%2 == 0 {
			if err := j.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if got := seqs(t, s, run); got != strings.Join(want, " ") {
		t.Errorf("read %s", got)
	}
}

// broken is a store whose first writes fail. It closes written after the first one that succeeds.
type broken struct {
	store.Store
	left    atomic.Int32 // writes that are still to fail
	written chan struct{}
	once    sync.Once
}

func (b *broken) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if b.left.Add(-1) >= 0 {
		return errors.New("no network")
	}
	err := b.Store.Put(ctx, key, r, mode)
	if err == nil {
		b.once.Do(func() { close(b.written) })
	}
	return err
}

// TestWritesAgain: events that could not be written are written later, even if no event follows.
func TestWritesAgain(t *testing.T) {
	s, run := &broken{Store: local(t), written: make(chan struct{})}, &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}
	s.left.Store(2)
	j := New(s, run, 0, time.Millisecond)
	j.Add(event(7))
	if err := j.Flush(); err == nil {
		t.Fatal("it was written")
	}
	<-s.written
	if got := seqs(t, s, run); got != "7" {
		t.Errorf("read %s", got)
	}
	j.Close()
}

// TestTakenOver: of two writers of one log, the one that writes a segment second stops.
func TestTakenOver(t *testing.T) {
	s, run := local(t), &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}
	one, two := New(s, run, 0, time.Hour), New(s, run, 0, time.Hour)
	one.Add(event(1))
	two.Add(event(2))
	if err := one.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := two.Flush(); !errors.Is(err, ErrTakenOver) {
		t.Fatalf("the second writer: %v", err)
	}
	<-two.Taken()
	two.Add(event(3))
	if err := two.Flush(); !errors.Is(err, ErrTakenOver) {
		t.Fatalf("the second writer, again: %v", err)
	}
	if got := seqs(t, s, run); got != "1" {
		t.Errorf("the log has %s", got)
	}
}

// FuzzParse checks that no content of a segment makes parse return an event of a newer version.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"version":1,"type":"run_started"}` + "\n{"))
	f.Add([]byte("{\"version\":1,\"type\":\"run_started\"}\n{\"ver"))
	f.Add([]byte("{\"version\":99}\n{}\n"))
	f.Add([]byte("null\n[]\n\x00"))
	f.Add([]byte("\x00\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range parse(data) {
			if e.Version > record.Version {
				t.Fatalf("%+v", e)
			}
		}
	})
}

// failing fails the writes of some segments.
type failing struct {
	store.Store
	fails int // so many further writes, after the first one
	puts  int
}

func (s *failing) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if s.puts++; s.puts > 1 && s.fails > 0 {
		s.fails--
		return errors.New("the store is away")
	}
	return s.Store.Put(ctx, key, r, mode)
}

// Events with large values are written in several segments, in order, also if writing fails in between.
func TestLargeEvents(t *testing.T) {
	run := &record.Run{Namespace: "n", Pipeline: "p", Name: "r"}
	s := &failing{Store: local(t), fails: 1}
	j := New(s, run, 0, time.Hour)
	defer j.Close()
	j.writing <- struct{}{} // no segment is written yet
	value := json.RawMessage(`"` + strings.Repeat("v", maxSegment*2/3) + `"`)
	for i := range 6 {
		e := event(i)
		e.Result = &record.Result{Outputs: []record.Datum{{Name: "x", Type: "string", Value: value}}}
		j.Add(e)
	}
	j.release()
	_ = j.Flush() // this write or the one that Add has started meets the failure
	j.Add(event(6))
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	if !j.Behind().IsZero() {
		t.Error("events wait after Flush")
	}
	if got, want := seqs(t, s, run), "0 1 2 3 4 5 6"; got != want {
		t.Errorf("the log has the events %s, want %s", got, want)
	}
	segments := 0
	for range Read(t.Context(), s, run) {
		segments++
	}
	if segments < 3 || segments > 5 {
		t.Errorf("%d segments", segments)
	}
}
