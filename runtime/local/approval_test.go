package local_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pipec.dev/pipec/internal/eventually"
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/local"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// asks is an approval; typ is that of its value, or "".
func asks(name, message, typ string, parts ...part) program.Step {
	s := program.Step{Name: name, Approval: &program.Approval{Message: text(message)}}
	if typ != "" {
		out("value", typ)(&s)
	}
	for _, p := range parts {
		p(&s)
	}
	return s
}

// background is a run that continues while the test does other things.
type background struct {
	*project
	asked chan string // addresses, as they ask
	done  chan local.Outcome
}

func (p *project) background(ctx context.Context, drive func(context.Context, local.Options) (local.Outcome, error)) *background {
	p.t.Helper()
	b := &background{project: p, asked: make(chan string, 100), done: make(chan local.Outcome, 1)}
	o := p.o
	o.Observe = func(e record.Event) {
		p.observe(e)
		if e.Type == record.StepAsks {
			b.asked <- e.Step
		}
	}
	go func() {
		out, err := drive(ctx, o)
		if err != nil {
			p.t.Error(err)
		}
		b.done <- out
	}()
	return b
}

func (b *background) answer(run, step string, a *record.Answer) (*record.StepEnd, error) {
	of, err := b.reader().Resolve(b.t.Context(), "", run)
	if err != nil {
		return nil, err
	}
	a.At = time.Now().UTC()
	return local.Approve(b.t.Context(), b.o, of, step, a)
}

func (b *background) detail(run string) *runs.Detail {
	b.t.Helper()
	r := b.reader()
	of, err := r.Resolve(b.t.Context(), "", run)
	if err != nil {
		b.t.Fatal(err)
	}
	d, err := r.Show(b.t.Context(), of)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func TestApprove(t *testing.T) {
	p := newProject(t,
		sh("a", `echo 3 >"$PIPEC_OUTPUT_n"`, out("n", "number")),
		asks("ok", "go?", "object({x = number, y = optional(string)})", after("a")),
		sh("b", `cat "$PIPEC_INPUT_v"`, in("v", "object({x = number, y = optional(string)})", "step.ok.value")),
		asks("plain", "really?", "", after("b")),
		sh("c", "echo end", after("plain")),
	)
	p.o.Name = "one"
	b := p.background(t.Context(), local.Run)
	if step := <-b.asked; step != "ok" {
		t.Fatalf("%s asks", step)
	}
	d := b.detail("one")
	if s := d.Waiting(); d.Status != record.Running || len(s) != 1 || s[0].Name != "ok" || s[0].Ask.Message != "go?" {
		t.Fatalf("while it waits: %+v", d)
	}
	if _, err := b.answer("one", "plain", &record.Answer{}); !refused(err, drive.RefusedAnswer) {
		t.Errorf("one that doesn't ask yet: %v", err)
	}
	if _, err := b.answer("one", "ok", &record.Answer{Value: raw(`{"x": "y"}`)}); !refused(err, drive.RefusedAnswer) {
		t.Errorf("a value of another type: %v", err)
	}
	if _, err := b.answer("one", "ok", &record.Answer{Value: raw(`"` + strings.Repeat("x", record.MaxAnswer) + `"`)}); !refused(err, drive.RefusedAnswer) {
		t.Errorf("a value that is too large: %v", err)
	}
	end, err := b.answer("one", "ok", &record.Answer{By: "eva", Reason: "$(id)", Value: raw(`{"x": 1}`)})
	if err != nil || end.Status != record.Succeeded || end.Answer.By != "eva" {
		t.Fatalf("approved: %+v, %v", end, err)
	}
	<-b.asked
	if _, err := b.answer("one", "ok", &record.Answer{Value: raw(`{"x": 2}`)}); !refused(err, drive.RefusedAnswer) || !strings.Contains(err.Error(), "it was approved by eva") {
		t.Errorf("a second answer: %v", err)
	}
	if end, err = b.answer("one", "plain", &record.Answer{By: "eva"}); err != nil || end.Answer == nil {
		t.Errorf("the last one: %+v, %v", end, err)
	}
	res := <-b.done
	p.want(res, "succeeded: a=succeeded b=succeeded c=succeeded ok=succeeded plain=succeeded")
	if got := p.line("b"); got != `{"x":1,"y":null}` {
		t.Errorf("b was given %q", got)
	}
	if _, err := os.Lstat(filepath.Join(p.dir, ".pipec", "work", "one")); err == nil {
		t.Error("the place of the run is left")
	}
	if _, err := b.answer("one", "plain", &record.Answer{}); !refused(err, drive.RefusedAnswer) {
		t.Errorf("after the end: %v", err)
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

// line is the first line that a step has written.
func (p *project) line(step string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.events {
		if e.Type == record.StepLog && e.Step == step {
			return e.Text
		}
	}
	return ""
}

func TestReject(t *testing.T) {
	p := newProject(t, asks("ok", "go?", "bool"), sh("b", "true", in("v", "bool", "step.ok.value")))
	p.o.Program.Finally = []program.Step{sh("z", "true")}
	p.o.Name = "one"
	b := p.background(t.Context(), local.Run)
	<-b.asked
	end, err := b.answer("one", "ok", &record.Answer{Reject: true, Reason: "too low"})
	if err != nil || end.Status != record.Failed || end.ExitCode != nil || end.Message != "rejected by somebody: too low" {
		t.Errorf("rejected: %+v, %v", end, err)
	}
	p.want(<-b.done, "failed: b=skipped/UpstreamFailed ok=failed/Rejected z=succeeded")
}

// Of many who answer at once, one is the first, and its answer is the one that is recorded.
func TestApproveAtOnce(t *testing.T) {
	p := newProject(t, asks("ok", "go?", "number"), asks("second", "and?", ""))
	p.o.Name = "one"
	b := p.background(t.Context(), local.Run)
	<-b.asked
	<-b.asked
	var all sync.WaitGroup
	var mu sync.Mutex
	var first []*record.StepEnd
	for i := range 8 {
		all.Go(func() {
			value, _ := json.Marshal(i)
			end, err := b.answer("one", "ok", &record.Answer{By: string(rune('a' + i)), Value: value})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				first = append(first, end)
			} else if !refused(err, drive.RefusedAnswer) {
				t.Errorf("answer %d: %v", i, err)
			}
		})
	}
	all.Wait()
	if len(first) != 1 {
		t.Fatalf("%d answers were taken", len(first))
	}
	if s := b.detail("one").Step("ok"); s.Answer == nil || s.Answer.By != first[0].Answer.By || string(s.Outputs[0].Value) != string(first[0].Answer.Value) {
		t.Errorf("recorded is %+v, and taken was %+v", s, first[0])
	}
	if _, err := b.answer("one", "second", &record.Answer{}); err != nil {
		t.Error(err)
	}
	p.want(<-b.done, "succeeded: ok=succeeded second=succeeded")
}

func TestApprovalTimeout(t *testing.T) {
	p := newProject(t,
		asks("late", "go?", "", func(s *program.Step) {
			s.Approval.Timeout, s.ContinueOnFailure = program.Duration(50*time.Millisecond), true
		}),
		asks("stage", "which?", "string", func(s *program.Step) {
			s.Approval.Timeout, s.Approval.Default = program.Duration(50*time.Millisecond), raw(`"later"`)
		}),
		sh("b", `cat "$PIPEC_INPUT_v"`, in("v", "string", "step.stage.value")),
	)
	p.want(p.run(t.Context()), "succeeded: b=succeeded late=timed_out/Timeout stage=succeeded/Timeout")
	if got := p.line("b"); got != "later" && got != `"later"` {
		t.Errorf("b was given %q", got)
	}
}

// A run that is cancelled waits no more, and neither does one whose own time is over.
func TestApprovalCancelled(t *testing.T) {
	p := newProject(t, asks("ok", "go?", ""))
	ctx, cancel := context.WithCancel(t.Context())
	b := p.background(ctx, local.Run)
	<-b.asked
	cancel()
	p.want(<-b.done, "cancelled: ok=cancelled/Cancelled")
	p.o.Program.Timeout = program.Duration(50 * time.Millisecond)
	p.want(p.run(t.Context()), "timed_out: ok=cancelled/Cancelled")
}

// A driver that is killed while it waits: the run is resumed under its name, and waits for the same answer, as long as it
// would have. An answer that was given meanwhile is refused; one that was given before counts.
func TestApprovalResumed(t *testing.T) {
	linuxOnly(t)
	p := newProject(t, sh("a", "echo made"), asks("ok", "go?", "number", after("a"), func(s *program.Step) {
		s.Approval.Timeout = program.Duration(time.Hour)
	}), sh("b", `test "$(cat "$PIPEC_INPUT_v")" = 7`, in("v", "number", "step.ok.value")))
	c := p.drive(t)
	c.await("asks ok")
	b := &background{project: p}
	until := b.detail("killed").Step("ok").Ask.Until
	c.kill()
	if _, err := b.answer("killed", "ok", &record.Answer{Value: raw("7")}); !refused(err, drive.RefusedAnswer) || !strings.Contains(err.Error(), "rerun") {
		t.Errorf("a run that nothing drives: %v", err)
	}
	of, err := b.reader().Resolve(t.Context(), "", "killed")
	if err != nil {
		t.Fatal(err)
	}
	b = p.background(t.Context(), func(ctx context.Context, o local.Options) (local.Outcome, error) { return local.Resume(ctx, o, of) })
	if step := <-b.asked; step != "ok" {
		t.Fatalf("%s asks", step)
	}
	if !eventually.Holds(time.Minute, func() bool { // the log's events are reported before answers are accepted
		_, err := b.answer("killed", "ok", &record.Answer{By: "eva", Value: raw("7")})
		if err != nil && !refused(err, drive.RefusedAnswer) {
			t.Fatal(err)
		}
		return err == nil
	}) {
		t.Fatal("no answer is accepted")
	}
	res := <-b.done
	p.want(res, "succeeded: a=succeeded b=succeeded ok=succeeded")
	for _, s := range res.End.Steps {
		if s.Name == "ok" && (!s.Ask.Until.Equal(until) || s.Answer.By != "eva") {
			t.Errorf("it waited until %s, and before until %s", s.Ask.Until, until)
		}
	}
}

// What somebody puts into the run's place by hand is judged as all answers are.
func TestAnswersByHand(t *testing.T) {
	p := newProject(t, asks("ok", "go?", "number"))
	p.o.Name = "one"
	b := p.background(t.Context(), local.Run)
	<-b.asked
	dir := filepath.Join(p.dir, ".pipec", "work", "one", ".answers")
	for name, data := range map[string]string{
		record.AnswerName("ok"): `{"value": "x"}`, record.AnswerName("nobody"): `{"value": 1}`, ".answer-x": "torn", "zz": strings.Repeat(" ", record.MaxAnswer+1),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var first error
	if !eventually.Holds(time.Minute, func() bool { // the files there are judged, and removed, with the first answer
		_, err := b.answer("one", "ok", &record.Answer{Value: raw("1")})
		if err == nil {
			return true
		}
		if first == nil {
			first = err
		}
		if !refused(err, drive.RefusedAnswer) {
			t.Fatal(err)
		}
		var pipe *os.File
		if pipe, err = os.OpenFile(filepath.Join(filepath.Dir(dir), ".requests"), os.O_WRONLY, 0); err != nil {
			t.Fatal(err)
		}
		_, _ = pipe.WriteString("xa")
		_ = pipe.Close()
		return false
	}) {
		t.Fatal("no answer is accepted")
	}
	if first == nil || errors.Is(first, context.Canceled) {
		t.Errorf("an answer lay there: %v", first)
	}
	p.want(<-b.done, "succeeded: ok=succeeded")
}

// A rerun keeps an answer that is still valid if its step has not changed.
func TestApprovalKept(t *testing.T) {
	p := newProject(t, asks("ok", "go?", "number"), sh("b", `test -e `+filepath.Join(t.TempDir(), "there"), in("v", "number", "step.ok.value")))
	p.o.Name = "one"
	b := p.background(t.Context(), local.Run)
	<-b.asked
	if _, err := b.answer("one", "ok", &record.Answer{By: "eva", Value: raw("7")}); err != nil {
		t.Fatal(err)
	}
	res := <-b.done
	p.want(res, "failed: b=failed/Error ok=succeeded")
	again := func(name string) local.Outcome {
		t.Helper()
		o := p.o
		o.Name = name
		plan, err := local.PlanRerun(t.Context(), o, res.Run, nil)
		if err != nil {
			t.Fatal(err)
		}
		b = p.background(t.Context(), func(ctx context.Context, now local.Options) (local.Outcome, error) {
			now.Name = name
			return local.Rerun(ctx, now, plan)
		})
		select {
		case <-b.asked:
			if _, err := b.answer(name, "ok", &record.Answer{By: "ada", Reject: true}); err != nil {
				t.Fatal(err)
			}
			return <-b.done
		case out := <-b.done:
			return out
		}
	}
	p.o.Program.Steps[1].Approval.Timeout = program.Duration(time.Hour)
	two := again("two")
	p.want(two, "failed: b=failed/Error ok=succeeded/kept")
	if s := two.End.Steps[1]; s.Answer == nil || s.Answer.By != "eva" || s.Ask == nil {
		t.Errorf("kept: %+v", s)
	}
	p.o.Program.Steps[1].Approval.Message = text("go now?")
	p.want(again("three"), "failed: b=skipped/UpstreamFailed ok=failed/Rejected")
}
