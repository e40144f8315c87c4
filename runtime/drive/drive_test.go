package drive

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/journal"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// room is a store with one run, and what its observers were notified of.
type room struct {
	t    *testing.T
	c    Config
	seen []string
}

func newRoom(t *testing.T, steps ...program.Step) *room {
	t.Helper()
	s, err := store.OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for i := range steps {
		if a := steps[i].Approval; a != nil {
			a.Message.Const = []byte(`"go?"`)
		} else {
			steps[i].Retry.Attempts = max(steps[i].Retry.Attempts, 1)
		}
	}
	r := &room{t: t}
	r.c = Config{
		Store: s, Program: &program.Program{Version: 1, Pipeline: "p", Steps: steps},
		Record:   &record.Run{Version: 1, Name: "r", Pipeline: "p", Namespace: "n", UID: "u", CreatedAt: Now()},
		Observe:  func(e record.Event) { r.seen = append(r.seen, strings.TrimRight(string(e.Type)+" "+e.Step, " ")) },
		LogDelay: time.Hour, // no write after the test's end, when the store is closed
	}
	return r
}

func (r *room) put(key string, v any) {
	r.t.Helper()
	if err := store.WriteJSON(r.t.Context(), r.c.Store, key, v, store.IfAbsent); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) begin(kept ...record.Event) *Run {
	r.t.Helper()
	run, err := Begin(r.c, kept)
	if err != nil {
		r.t.Fatal(err)
	}
	return run
}

func (r *room) resume() *Run {
	r.t.Helper()
	run, err := Resume(r.t.Context(), r.c, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return run
}

func (r *room) wantSeen(want ...string) {
	r.t.Helper()
	if !slices.Equal(r.seen, want) {
		r.t.Errorf("observers saw %q, want %q", r.seen, want)
	}
	r.seen = nil
}

// log reads the log that is in the store.
func (r *room) log() []record.Event {
	r.t.Helper()
	var out []record.Event
	for s, err := range journal.Read(r.t.Context(), r.c.Store, r.c.Record) {
		if err != nil {
			r.t.Fatal(err)
		}
		out = append(out, s.Events...)
	}
	return out
}

func starts(actions []engine.Action) []string {
	var out []string
	for _, a := range actions {
		switch a := a.(type) {
		case engine.StartAttempt:
			out = append(out, "start "+a.Step)
		case engine.StopAttempt:
			out = append(out, "stop "+a.Step)
		case engine.RequestApproval:
			out = append(out, "ask "+a.Step)
		default:
			out = append(out, "other")
		}
	}
	return out
}

func ended(step string, status record.Status) record.Event {
	return record.Event{Type: record.AttemptEnded, Step: step, Attempt: 1, Result: &record.Result{Version: 1, Status: status}}
}

func want(t *testing.T, got []engine.Action, want ...string) {
	t.Helper()
	if s := starts(got); !slices.Equal(s, want) {
		t.Errorf("actions %q, want %q", s, want)
	}
}

// The events of a log are numbered, and their times don't decrease, whatever the caller and the clock say.
func TestTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(t, program.Step{Name: "a"})
		r.c.LogDelay = time.Second
		run := r.begin()
		want(t, run.Start(), "start a")
		time.Sleep(time.Minute)
		late := ended("a", record.Succeeded)
		run.Take(record.Event{Type: record.AttemptStarted, Step: "a", Attempt: 1})
		late.At = r.c.Record.CreatedAt.Add(time.Second) // before the event that precedes it
		want(t, run.Take(late))
		if run.End() == nil || run.End().Status != record.Succeeded {
			t.Fatalf("%+v", run.End())
		}
		if got := run.Take(record.Event{Type: record.CancelRequested}); got != nil {
			t.Errorf("after the end: %v", got)
		}
		r.wantSeen("run_started", "step_started a", "attempt_started a", "attempt_ended a", "step_ended a")
		time.Sleep(2 * time.Second) // longer than LogDelay
		synctest.Wait()
		log := r.log()
		if len(log) != 3 {
			t.Fatalf("%+v", log)
		}
		for i, e := range log {
			if e.Seq != int64(i+1) || e.Run != "r" || e.Version != record.Version {
				t.Errorf("event %d: %+v", i, e)
			}
		}
		if at := r.c.Record.CreatedAt; !log[0].At.Equal(at) || !log[1].At.Equal(at.Add(time.Minute)) || !log[2].At.Equal(log[1].At) {
			t.Errorf("times %v, %v, %v", log[0].At, log[1].At, log[2].At)
		}
	})
}

func TestAnnounce(t *testing.T) {
	r := newRoom(t, program.Step{Name: "a", Approval: &program.Approval{}}, program.Step{Name: "b", Approval: &program.Approval{}})
	run := r.begin()
	actions := run.Start()
	want(t, actions, "ask a", "ask b")
	r.wantSeen("run_started", "step_started a", "step_started b")
	if err := run.CheckAnswer("a", &record.Answer{}); err != nil {
		t.Error(err)
	}
	run.Announce("a")
	run.Announce("a")
	r.wantSeen("step_asks a")
	run.Take(record.Event{Type: record.ApprovalGiven, Step: "b", Answer: &record.Answer{}})
	run.Announce("b") // it does not wait any more
	r.wantSeen("approval_given b", "step_ended b")
	var late *engine.NotPendingError
	if err := run.CheckAnswer("b", &record.Answer{}); !errors.As(err, &late) {
		t.Error(err)
	}
}

// A driver that takes over gets what is open, continues to number where the log ends, and its predecessor notices.
func TestResume(t *testing.T) {
	r := newRoom(t, program.Step{Name: "a"}, program.Step{Name: "b", Approval: &program.Approval{}}, program.Step{Name: "c"}, program.Step{Name: "k"})
	r.c.Record.Kept = []string{"k"}
	r.c.Record.RerunOf = "o"
	of := &record.Run{Version: 1, Name: "o", Pipeline: "p", Namespace: "n"}
	r.put(of.RunKey(), of)
	r.put(of.EndKey(), &record.End{Version: 1, Status: record.Failed, Steps: []record.StepEnd{{Name: "k", Status: record.Succeeded, Attempt: 1}}})
	kept, err := history.KeptEvents(t.Context(), r.c.Store, of, r.c.Record.Kept, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := r.begin(kept...)
	want(t, first.Start(), "ask b", "start a", "start c")
	first.Take(ended("a", record.Succeeded))
	first.Log(record.Event{Type: record.AttemptStopping, Step: "c", Attempt: 1})
	if err := first.Flush(); err != nil {
		t.Fatal(err)
	}
	told := len(r.seen) + 2 // AttemptStopping, and StepAsks, which was not announced
	r.seen = nil

	second := r.resume()
	if len(r.seen) != told {
		t.Errorf("observers saw %q", r.seen)
	}
	if !second.Open().Started(record.AttemptID{Step: "c", Attempt: 1}) || second.Open().Started(record.AttemptID{Step: "a", Attempt: 1}) {
		t.Error("c is open, and a is not")
	}
	want(t, second.Start(), "ask b", "start c")
	second.Log(record.Event{Type: record.CoordinatorStarted})
	if err := second.Flush(); err != nil {
		t.Fatal(err)
	}
	log := r.log()
	if last := log[len(log)-1]; last.Type != record.CoordinatorStarted || last.Seq != int64(len(log)) {
		t.Errorf("%+v", last)
	}
	first.Take(ended("c", record.Succeeded))
	if err := first.Flush(); !errors.Is(err, ErrTakenOver) {
		t.Errorf("the first driver: %v", err)
	}
	<-first.Taken()
}

// A run whose log is empty starts, whether it is begun or resumed.
func TestResumeWithoutLog(t *testing.T) {
	r := newRoom(t, program.Step{Name: "a"})
	want(t, r.resume().Start(), "start a")
}

// An event that a driver takes before it starts changes what it starts with: a request to cancel stops the attempts that the
// log leaves open.
func TestTakeBeforeStart(t *testing.T) {
	r := newRoom(t, program.Step{Name: "a"}, program.Step{Name: "b"})
	first := r.begin()
	first.Start()
	if err := first.Flush(); err != nil {
		t.Fatal(err)
	}
	second := r.resume()
	if got := second.Take(ended("a", record.Succeeded)); got != nil {
		t.Errorf("before the start: %v", got)
	}
	second.Take(record.Event{Type: record.CancelRequested})
	want(t, second.Start(), "start b", "stop b")
}

// flaky is a store that can't write the end of a run at first.
type flaky struct {
	store.Store
	failures int
}

func (f *flaky) Put(ctx context.Context, key string, r io.Reader, mode store.Mode) error {
	if strings.HasSuffix(key, "end.json") && f.failures > 0 {
		f.failures--
		return errors.New("no space left")
	}
	return f.Store.Put(ctx, key, r, mode)
}

func TestFinish(t *testing.T) {
	r := newRoom(t, program.Step{Name: "a"})
	r.c.Store = &flaky{r.c.Store, 1}
	run := r.begin()
	run.Start()
	run.Take(ended("a", record.Failed))
	r.seen = nil
	if err := run.Finish(t.Context()); err == nil || errors.Is(err, ErrTakenOver) || !strings.Contains(err.Error(), "the end of run r (failed: ") {
		t.Errorf("%v", err)
	}
	r.wantSeen()
	if err := run.Finish(t.Context()); err != nil {
		t.Error(err)
	}
	r.wantSeen("run_ended")
	if err := run.Finish(t.Context()); !errors.Is(err, ErrTakenOver) {
		t.Errorf("a second end: %v", err)
	}
	again := r.resume()
	if again.End() == nil || again.End().Status != record.Failed || len(again.Start()) != 0 {
		t.Errorf("resumed: %+v", again.End())
	}
}
