package engine

import (
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func in(group string, limit int) func(*program.Step) {
	return func(s *program.Step) { s.Concurrency = &program.Concurrency{Group: group, Limit: limit} }
}

func skipping(s *program.Step) { s.Concurrency.Skip = true }

func calling(name string) func(*program.Step) {
	return func(s *program.Step) { s.Command, s.Call = nil, &program.Call{Pipeline: name} }
}

func with(p *program.Program, called ...program.Called) *program.Program {
	p.Called = called
	return p
}

func times(n int) func(*program.Step) {
	return func(s *program.Step) { s.Repeat = &program.Repeat{Max: n} }
}

func perElement(list string, most int) func(*program.Step) {
	return func(s *program.Step) {
		s.ForEach = &program.ForEach{Type: "list(number)", Value: program.Value{Const: raw(list)}, MaxInstances: 100, MaxParallel: most}
	}
}

func TestGroups(t *testing.T) {
	testScenarios(t, []scenario{
		{
			name: "one asks at a time, in order; the place is left when the attempt has ended",
			p:    pipeline(step("b", in("g", 2)), step("a", in("g", 2)), step("c")),
			play: []string{"start", "a/1 entered", "a/1 ok", "b/1 entered", "b/1 fail 1", "c/1 ok"},
			want: `> start
				enter a/1 g of 2
				start c/1
				> a/1 entered
				start a/1
				enter b/1 g of 2
				> a/1 ok
				leave a/1 g
				a succeeded
				> b/1 entered
				start b/1
				> b/1 fail 1
				leave b/1 g
				b failed Error
				> c/1 ok
				c succeeded
				end failed StepsFailed: b failed`,
		},
		{
			name: "who waits takes no room", limit: 1,
			p:    pipeline(step("a", in("g", 1)), step("b"), step("c")),
			play: []string{"start", "b/1 ok", "a/1 entered", "c/1 ok", "a/1 ok"},
			want: `> start
				enter a/1 g of 1
				start b/1
				> b/1 ok
				b succeeded
				start c/1
				> a/1 entered
				> c/1 ok
				c succeeded
				start a/1
				> a/1 ok
				leave a/1 g
				a succeeded
				end succeeded`,
		},
		{
			name: "who finds no room asks later, others of the group before",
			p:    pipeline(step("a", perElement("[1,2]", 1), in("g", 2)), step("b", in("g", 2))),
			play: []string{"start", "a[0]/1 entered", "b/1 entered", "a[0]/1 ok", "a[1]/1 entered", "b/1 ok", "a[1]/1 ok"},
			want: `> start
				enter a[0]/1 g of 2
				> a[0]/1 entered
				start a[0]/1
				enter b/1 g of 2
				> b/1 entered
				start b/1
				> a[0]/1 ok
				leave a[0]/1 g
				a[0] succeeded
				enter a[1]/1 g of 2
				> a[1]/1 entered
				start a[1]/1
				> b/1 ok
				leave b/1 g
				b succeeded
				> a[1]/1 ok
				leave a[1]/1 g
				a[1] succeeded
				a succeeded
				end succeeded`,
		},
		{
			name: "each attempt enters anew, and that of no attempt that isn't asked for",
			p:    pipeline(step("a", in("g", 1), retry(program.Retry{Attempts: 2, Infrastructure: 1}))),
			play: []string{"start", "a/2 entered", "b/1 entered", "a/1 entered", "a/1 entered", "a/1 infra", "a/2 entered", "a/2 fail 3", "a/3 entered", "a/3 ok"},
			want: `> start
				enter a/1 g of 1
				> a/2 entered
				> b/1 entered
				> a/1 entered
				start a/1
				> a/1 entered
				> a/1 infra
				leave a/1 g
				retried a: attempt 1 failed (StoreUnavailable, not counted as the step's own failure); the next one starts in 0s
				enter a/2 g of 1
				> a/2 entered
				start a/2 user=1
				> a/2 fail 3
				leave a/2 g
				retried a: attempt 2 failed with exit code 3; the next one starts in 0s
				enter a/3 g of 1
				> a/3 entered
				start a/3 user=2
				> a/3 ok
				leave a/3 g
				a succeeded
				end succeeded`,
		},
		{
			name: "busy, and skipped",
			p:    pipeline(step("a", in("g", 1), skipping), step("b", needs("output", "a")), step("c", in("g", 1), skipping, retry(program.Retry{Attempts: 2}))),
			play: []string{"start", "a/1 busy run x holds it", "c/1 entered", "c/1 fail 1", "c/2 busy run y holds it"},
			want: `> start
				enter a/1 g of 1, or skip
				> a/1 busy run x holds it
				a skipped GroupBusy: run x holds it
				b skipped UpstreamSkipped: a was skipped (a was skipped because run x holds it)
				enter c/1 g of 1, or skip
				> c/1 entered
				start c/1
				> c/1 fail 1
				leave c/1 g
				retried c: attempt 1 failed with exit code 1; the next one starts in 0s
				enter c/2 g of 1, or skip
				> c/2 busy run y holds it
				c failed Error: not tried again: run y holds it
				end failed StepsFailed: c failed`,
		},
		{
			name: "what is in the cache does not enter", limit: 1,
			p:    pipeline(step("a", in("g", 1), cached, output("x", "number")), step("b", in("g", 1), cached, output("x", "number"))),
			play: []string{"start", "hit a x=1", "miss b", "b/1 entered", "b/1 ok x=2"},
			want: `> start
				check a/1
				> hit a x=1
				a succeeded cached from r0/2
				check b/1
				> miss b
				enter b/1 g of 1
				> b/1 entered
				start b/1
				> b/1 ok x=2
				leave b/1 g
				b succeeded
				end succeeded`,
		},
		{
			name: "a call holds its place to its end, each round anew",
			p: with(pipeline(step("a", calling("c"), in("g", 1), times(2))),
				program.Called{Name: "c", OnFailure: "continue", Steps: []program.Step{step("x"), step("y", needs("output", "x"), in("h", 3))}}),
			play: []string{"start", "a#1/1 entered", "a#1.x/1 ok", "a#1.y/1 entered", "a#1.y/1 ok", "a#2/1 entered", "cancel", "a#2.x/1 cancelled"},
			want: `> start
				enter a#1/1 g of 1
				> a#1/1 entered
				start a#1.x/1
				> a#1.x/1 ok
				a#1.x succeeded
				enter a#1.y/1 h of 3
				> a#1.y/1 entered
				start a#1.y/1
				> a#1.y/1 ok
				leave a#1.y/1 h
				a#1.y succeeded
				leave a#1/1 g
				a#1 succeeded
				enter a#2/1 g of 1
				> a#2/1 entered
				start a#2.x/1
				> cancel
				stop a#2.x/1: the run was cancelled
				a#2.y skipped Stopped: the run was cancelled
				> a#2.x/1 cancelled
				a#2.x cancelled Cancelled: the run was cancelled
				leave a#2/1 g
				a#2 cancelled Cancelled: the run was cancelled
				a cancelled Cancelled: in round 2: the run was cancelled
				end cancelled Cancelled`,
		},
		{
			name: "a cancel ends the waiting; what is answered after it changes nothing",
			p:    pipeline(step("a", in("g", 1)), step("b", in("g", 1)), step("c")),
			play: []string{"start", "cancel", "a/1 entered", "b/1 entered", "c/1 cancelled"},
			want: `> start
				enter a/1 g of 1
				start c/1
				> cancel
				leave a/1 g
				a skipped Stopped: the run was cancelled
				b skipped Stopped: the run was cancelled
				stop c/1: the run was cancelled
				> a/1 entered
				> b/1 entered
				> c/1 cancelled
				c cancelled Cancelled: the run was cancelled
				end cancelled Cancelled`,
		},
		{
			name: "the timeout of the pipeline ends the waiting",
			p: func() *program.Program {
				p := pipeline(step("a", in("g", 1)))
				p.Timeout = program.Duration(time.Second)
				return p
			}(),
			play: []string{"start", "+1s", "timer timeout"},
			want: `> start
				timer timeout 1s
				enter a/1 g of 1
				> timer timeout
				leave a/1 g
				a skipped Stopped: the run took longer than its timeout of 1s
				end timed_out RunTimeout: the run took longer than its timeout of 1s`,
		},
		{
			name: "a place is left where there is nothing to start", run: func(r *record.Run) {},
			p:    pipeline(step("a", in("g", 1), input("n", "number", ex("[1][2]", "number"))), step("b", in("g", 1))),
			play: []string{"start", "a/1 entered"},
			want: `> start
				enter a/1 g of 1
				> a/1 entered
				leave a/1 g
				a failed ExpressionFailed: input "n": [1][2]: The given key does not identify an element in this collection value.
				enter b/1 g of 1`,
		},
	})
}
