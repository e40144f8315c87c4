package engine

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// drawProgram makes a program whose steps need each other at random.
func drawProgram(t *rapid.T) *program.Program {
	p := pipeline()
	p.OnFailure = rapid.SampledFrom([]string{"continue", "stop", "abort"}).Draw(t, "on_failure")
	p.MaxParallel = rapid.IntRange(0, 3).Draw(t, "max_parallel")
	if rapid.IntRange(0, 3).Draw(t, "timed") == 0 {
		p.Timeout = program.Duration(time.Minute)
	}
	// Names are mixed, so that the order of needs is not the order of names.
	names := rapid.Permutation([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}).Draw(t, "names")
	total := rapid.IntRange(0, len(names)).Draw(t, "total")
	mains := rapid.IntRange(0, total).Draw(t, "mains")
	for i, name := range names[:total] {
		s := drawStep(t, name, names[:i])
		if i < mains {
			p.Steps = append(p.Steps, s)
		} else {
			s.Cache = nil
			p.Finally = append(p.Finally, s)
		}
	}
	return p
}

func drawStep(t *rapid.T, name string, earlier []string) program.Step {
	s := step(name, output("x", "number"), retry(program.Retry{
		Attempts: rapid.IntRange(0, 3).Draw(t, "attempts"), Infrastructure: rapid.IntRange(0, 2).Draw(t, "infra"),
		Delay:  program.Duration(rapid.IntRange(0, 2).Draw(t, "delay")) * second,
		Within: program.Duration(rapid.IntRange(0, 4).Draw(t, "within")) * second,
	}))
	s.ContinueOnFailure = rapid.IntRange(0, 3).Draw(t, "continue") == 0
	if rapid.IntRange(0, 3).Draw(t, "cache") == 0 {
		cached(&s)
	}
	switch rapid.IntRange(0, 6).Draw(t, "when") {
	case 0:
		when("false", "bool")(&s)
	case 1:
		when("[true][1]", "bool")(&s) // fails
	}
	kinds := []program.NeedKind{program.NeedOutput, program.NeedOrder, program.NeedSoft, program.NeedStatus}
	for i, e := range earlier {
		if rapid.IntRange(0, 2).Draw(t, "need") > 0 {
			continue
		}
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		needs(kind, e)(&s)
		in := fmt.Sprintf("i%d", i)
		switch kind {
		case program.NeedOutput:
			input(in, "number", ref("step."+e+".x"))(&s)
		case program.NeedSoft:
			inputOr(in, "number", soft("step."+e+".x"), "1")(&s)
		case program.NeedStatus:
			input(in, "string", ref("step."+e+".status"))(&s)
		}
	}
	drawApproval(t, &s)
	return s
}

// world is a driver that answers at random, and checks what it is asked to do.
type world struct {
	t       *rapid.T
	p       *program.Program
	s       *State
	now     time.Time
	limit   int
	running map[string]int // attempt that runs, by step
	stopped map[string]bool
	checks  map[string]bool
	asks    map[string]bool // approvals that have asked
	timers  map[string]time.Time
	tries   map[string]int
	begun   map[string]bool
	ends    map[string]record.StepEnd
	steps   map[string]*program.Step
	mains   map[string]bool
	run     *record.Run
	kept    map[string]bool // named in the run, and not reported yet
	end     *record.End
	log     []record.Event
	actions []Action
}

func newWorld(t *rapid.T, p *program.Program, limit int) *world {
	w := &world{
		t: t, p: p, now: epoch, limit: bound(limit, p.MaxParallel), running: map[string]int{}, stopped: map[string]bool{}, checks: map[string]bool{}, asks: map[string]bool{},
		timers: map[string]time.Time{}, tries: map[string]int{}, begun: map[string]bool{}, ends: map[string]record.StepEnd{},
		steps: map[string]*program.Step{}, mains: map[string]bool{}, run: newRun(), kept: map[string]bool{},
	}
	for i, s := range p.All() {
		w.steps[s.Name], w.mains[s.Name] = s, i < len(p.Steps)
		if i < len(p.Steps) && rapid.IntRange(0, 9).Draw(t, "kept") == 0 {
			w.kept[s.Name] = true
			w.run.Kept = append(w.run.Kept, s.Name)
		}
	}
	var err error
	if w.s, err = New(p, w.run, limit); err != nil {
		t.Fatal(err)
	}
	checkMoves(t, w.s)
	return w
}

func (w *world) send(e record.Event) {
	e.At = w.now
	w.log = append(w.log, e)
	_, actions := Next(w.s, e)
	last := ""
	for _, a := range actions {
		if w.end != nil {
			w.t.Fatalf("after the end: %#v", a)
		}
		w.take(a, &last)
	}
	w.actions = append(w.actions, actions...)
	if len(w.running) > w.limit {
		w.t.Fatalf("%d attempts run, and %d may", len(w.running), w.limit)
	}
}

func (w *world) take(a Action, last *string) {
	switch a := a.(type) {
	case CheckCache:
		if w.checks[a.Step] || w.begun[a.Step] || w.steps[a.Step].Cache == nil {
			w.t.Fatalf("the cache is asked again, or in vain, for %s", a.Step)
		}
		w.mayStart(a.Step, last)
		w.checks[a.Step] = true
	case StartAttempt:
		if _, runs := w.running[a.Step]; runs || a.Attempt != w.tries[a.Step]+1 || a.UserAttempt > a.Attempt {
			w.t.Fatalf("attempt %+v after %d others", a.Spec, w.tries[a.Step])
		}
		if _, ended := w.ends[a.Step]; ended {
			w.t.Fatalf("%s is started after its end", a.Step)
		}
		w.mayStart(a.Step, last)
		w.tries[a.Step]++
		w.running[a.Step] = a.Attempt
	case StopAttempt:
		if w.running[a.Step] != a.Attempt || w.stopped[a.Step] || a.Why == "" {
			w.t.Fatalf("stop of %+v, which does not run, or again", a)
		}
		w.stopped[a.Step] = true
	case RequestApproval:
		w.asked(a)
	case SetTimer:
		if _, twice := w.timers[a.Name]; twice {
			w.t.Fatalf("timer %s is set twice", a.Name)
		}
		w.timers[a.Name] = a.At
	case Notify:
		*last = ""
		w.notified(a.Event)
	case End:
		w.end = &a.End
	}
}

// mayStart checks order, needs and phase, by a second reading of the rules.
func (w *world) mayStart(name string, last *string) {
	key := name
	if !w.mains[name] {
		key = "~" + name
		for other := range w.mains {
			if _, ended := w.ends[other]; w.mains[other] && !ended {
				w.t.Fatalf("%s of finally starts before %s has ended", name, other)
			}
		}
	}
	if w.kept[name] {
		w.t.Fatalf("%s starts, and its result may yet be kept", name)
	}
	if *last > key {
		w.t.Fatalf("%s starts after %s", key, *last)
	}
	*last = key
	for _, need := range w.steps[name].Needs {
		end, ended := w.ends[need.Step]
		good := map[program.NeedKind][]record.Status{
			program.NeedOutput: {record.Succeeded},
			program.NeedOrder:  {record.Succeeded},
			program.NeedSoft:   {record.Succeeded, record.Skipped},
			program.NeedStatus: {record.Succeeded, record.Skipped, record.Failed, record.TimedOut, record.Cancelled},
		}[need.Kind]
		if need.Kind == program.NeedOrder && w.steps[need.Step].ContinueOnFailure {
			good = append(good, record.Failed, record.TimedOut)
		}
		if !ended || !slices.Contains(good, end.Status) {
			w.t.Fatalf("%s starts though %s, %s, is %q", name, need.Step, need.Kind, end.Status)
		}
	}
}

func (w *world) notified(e record.Event) {
	switch e.Type {
	case record.StepStarted:
		if w.begun[e.Step] {
			w.t.Fatalf("%s begins twice", e.Step)
		}
		w.begun[e.Step] = true
	case record.StepEnded:
		_, runs := w.running[e.Step]
		if _, twice := w.ends[e.Step]; twice || runs || !e.End.Status.Ended() {
			w.t.Fatalf("%s ends twice, or while it runs, or not: %+v", e.Step, e.End)
		}
		if (e.End.Status == record.Skipped) == (w.begun[e.Step] || e.End.Cached || e.End.Kept || e.End.Reason == record.ReasonExpression) {
			w.t.Fatalf("%s was started (%v) and is %s", e.Step, w.begun[e.Step], e.End.Status)
		}
		if e.End.Status == record.Cancelled && !w.stopped[e.Step] && !w.asks[e.Step] {
			w.t.Fatalf("%s is cancelled, and was not stopped", e.Step)
		}
		w.ends[e.Step] = *e.End
		delete(w.checks, e.Step)
	}
}

// happen lets one of the things happen that can; false where there is none.
func (w *world) happen() bool {
	var can []record.Event
	for _, name := range sortedKeys(w.running) {
		can = append(can, record.Event{Type: record.AttemptEnded, Step: name, Attempt: w.running[name]})
	}
	for _, name := range sortedKeys(w.checks) {
		can = append(can, record.Event{Type: record.CacheChecked, Step: name})
	}
	for _, name := range sortedKeys(w.asks) {
		if _, ended := w.ends[name]; !ended {
			can = append(can, record.Event{Type: record.ApprovalGiven, Step: name})
		}
	}
	for _, name := range sortedKeys(w.kept) {
		can = append(can, record.Event{Type: record.StepKept, Step: name})
	}
	for _, name := range sortedKeys(w.timers) {
		can = append(can, record.Event{Type: record.TimerFired, Timer: name})
	}
	if len(can) == 0 {
		return false
	}
	e := rapid.SampledFrom(can).Draw(w.t, "event")
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(w.t, "ms")) * time.Millisecond)
	outputs := []record.Datum{{Name: "x", Type: "number", Value: raw("1")}}
	switch e.Type {
	case record.AttemptEnded:
		e.Result = w.result(w.stopped[e.Step])
		delete(w.running, e.Step)
	case record.CacheChecked:
		delete(w.checks, e.Step)
		if rapid.Bool().Draw(w.t, "hit") {
			e.From, e.Result = "r0", &record.Result{Status: record.Succeeded, Outputs: outputs, Attempt: 1}
		}
	case record.ApprovalGiven:
		e.Answer = drawAnswer(w.t)
	case record.StepKept:
		delete(w.kept, e.Step)
		if rapid.IntRange(0, 3).Draw(w.t, "whole") > 0 {
			e.From, e.Result = "r0", &record.Result{Status: record.Succeeded, Outputs: outputs, Attempt: 1}
		}
	case record.TimerFired:
		if at := w.timers[e.Timer]; at.After(w.now) {
			w.now = at
		}
		delete(w.timers, e.Timer)
	}
	w.send(e)
	return true
}

func (w *world) result(stopped bool) *record.Result {
	statuses := []record.Status{record.Succeeded, record.Succeeded, record.Failed, record.TimedOut}
	if stopped {
		statuses = append(statuses, record.Cancelled)
	}
	r := &record.Result{Status: rapid.SampledFrom(statuses).Draw(w.t, "status"), Class: record.ClassUser, Reason: record.ReasonError}
	if rapid.IntRange(0, 3).Draw(w.t, "class") == 0 {
		r.Class = record.ClassInfrastructure
	}
	if r.Status == record.Succeeded {
		r.Reason, r.Outputs = "", []record.Datum{{Name: "x", Type: "number", Value: raw("1")}}
	}
	return r
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestRuns plays random outcomes of random programs, with noise and cancels, and holds what every run has to hold.
func TestRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawProgram(t)
		limit := rapid.IntRange(0, 3).Draw(t, "limit")
		w := newWorld(t, p, limit)
		cancels := 0
		for len(w.kept) > 0 && rapid.Bool().Draw(t, "early") {
			w.happen() // a result may be taken over before the start
		}
		w.send(record.Event{Type: record.RunStarted})
		for w.end == nil {
			switch rapid.IntRange(0, 30).Draw(t, "what") {
			case 0:
				cancels++
				w.send(record.Event{Type: record.CancelRequested})
				continue
			case 1: // noise
				w.send(record.Event{Type: record.AttemptEnded, Step: "a", Attempt: 99, Result: w.result(false)})
				w.send(record.Event{Type: record.StepLog, Step: "a"})
				continue
			}
			if !w.happen() && w.end == nil {
				t.Fatal("the run waits for nothing, and has not ended")
			}
		}
		w.atEnd(cancels)
		w.replayed(limit)
	})
}

// atEnd checks the end of the run against those of its steps.
func (w *world) atEnd(cancels int) {
	if len(w.end.Steps) != len(w.steps) || len(w.running) > 0 || !w.s.Ended() {
		w.t.Fatalf("%d of %d steps ended, %d run", len(w.end.Steps), len(w.steps), len(w.running))
	}
	bad := false
	for _, e := range w.end.Steps {
		if !reflect.DeepEqual(e, w.ends[e.Name]) {
			w.t.Fatalf("%+v was told as %+v", e, w.ends[e.Name])
		}
		failed := e.Status == record.Failed || e.Status == record.TimedOut
		bad = bad || failed && !w.steps[e.Name].ContinueOnFailure
	}
	status := w.end.Status
	switch {
	case cancels > 0 && status != record.Cancelled:
		w.t.Fatalf("cancelled, and ends %s", status)
	case cancels == 0 && w.p.Timeout == 0 && (status == record.Failed) != bad:
		w.t.Fatalf("a step failed (%v), and the run ends %s", bad, status)
	case cancels == 0 && bad && status == record.Succeeded:
		w.t.Fatal("a step failed, and the run succeeded")
	}
}

// replayed checks that the log gives the same actions and the same state once more.
func (w *world) replayed(limit int) {
	s, err := New(w.p, w.run, limit)
	if err != nil {
		w.t.Fatal(err)
	}
	var actions []Action
	for _, e := range w.log {
		_, more := Next(s, e)
		actions = append(actions, more...)
	}
	if !reflect.DeepEqual(actions, w.actions) {
		w.t.Fatal("the same events give other actions")
	}
	w.s.graph.moved = nil // functions are never equal
	if !reflect.DeepEqual(s, w.s) {
		w.t.Fatal("the same events give another state")
	}
}
