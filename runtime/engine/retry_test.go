package engine

import (
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

const second = program.Duration(time.Second)

func TestRetries(t *testing.T) {
	wh := func(text string, refs ...string) *program.Value { v := ex(text, "bool", refs...); return &v }
	testScenarios(t, []scenario{
		{
			name: "attempts without delay", p: pipeline(step("a", retry(program.Retry{Attempts: 2}))), play: []string{"start", "a/1 fail 3", "a/2 fail 4"},
			want: `> start
				start a/1
				> a/1 fail 3
				retried a: attempt 1 failed with exit code 3; the next one starts in 0s
				start a/2
				> a/2 fail 4
				a failed Error
				end failed StepsFailed: a failed`,
		},
		{
			name: "a retry gives way to others", limit: 1, p: pipeline(step("a", retry(program.Retry{Attempts: 2, Delay: second})), step("b")),
			play: []string{"start", "a/1 fail 3", "+2s", "timer retry/a/2", "timer retry/a/2", "b/1 ok", "a/2 ok"},
			want: `> start
				start a/1
				> a/1 fail 3
				retried a: attempt 1 failed with exit code 3; the next one starts in 1.079s
				timer retry/a/2 1.078785904s
				start b/1
				> timer retry/a/2
				> timer retry/a/2
				> b/1 ok
				b succeeded
				start a/2
				> a/2 ok
				a succeeded
				end succeeded`,
		},
		{
			name: "infrastructure has its own budget", p: pipeline(step("a", retry(program.Retry{Attempts: 2, Infrastructure: 2}))),
			play: []string{"start", "a/1 infra", "a/2 fail 1", "a/3 nothing", "a/4 infra"},
			want: `> start
				start a/1
				> a/1 infra
				retried a: attempt 1 failed (StoreUnavailable, not counted as the step's own failure); the next one starts in 0s
				start a/2 user=1
				> a/2 fail 1
				retried a: attempt 2 failed with exit code 1; the next one starts in 0s
				start a/3 user=2
				> a/3 nothing
				retried a: attempt 3 failed (ProcessLost, not counted as the step's own failure); the next one starts in 0s
				start a/4 user=2
				> a/4 infra
				a failed StoreUnavailable
				end failed StepsFailed: a failed`,
		},
		{
			name: "a timeout counts", p: pipeline(step("a", retry(program.Retry{Attempts: 2}))), play: []string{"start", "a/1 timed_out", "a/2 timed_out"},
			want: "> start\nstart a/1\n> a/1 timed_out\nretried a: attempt 1 timed out; the next one starts in 0s\nstart a/2\n> a/2 timed_out\na timed_out Timeout\nend failed StepsFailed: a timed out",
		},
		{
			name: "exit codes", p: pipeline(step("a", retry(program.Retry{Attempts: 9, OnExitCodes: []int{75}}))), play: []string{"start", "a/1 fail 75", "a/2 fail 1"},
			want: `> start
				start a/1
				> a/1 fail 75
				retried a: attempt 1 failed with exit code 75; the next one starts in 0s
				start a/2
				> a/2 fail 1
				a failed Error: not tried again: retry.on_exit_codes doesn't name this end
				end failed StepsFailed: a failed`,
		},
		{
			name: "when", p: pipeline(step("a", input("max", "number", program.Value{Const: raw("2")}), retry(program.Retry{Attempts: 9,
				When: wh(`exit_code == 7 && reason == "Error" && attempt < input.max`, "attempt", "exit_code", "input.max", "reason")}))),
			play: []string{"start", "a/1 fail 7", "a/2 fail 7"},
			want: `> start
				start a/1 max=2
				> a/1 fail 7
				retried a: attempt 1 failed with exit code 7; the next one starts in 0s
				start a/2 max=2
				> a/2 fail 7
				a failed Error: not tried again: retry.when is false
				end failed StepsFailed: a failed`,
		},
		{
			name: "when can't be evaluated", p: pipeline(step("a", retry(program.Retry{Attempts: 9, When: wh("exit_code > 0", "exit_code")}))), play: []string{"start", "a/1 timed_out"},
			want: `> start
				start a/1
				> a/1 timed_out
				a timed_out Timeout: not tried again: retry.when: exit_code > 0: Error during operation: argument must not be null.
				end failed StepsFailed: a timed out`,
		},
		{
			name: "infrastructure is not asked for when", p: pipeline(step("a", retry(program.Retry{Attempts: 1, Infrastructure: 1, OnExitCodes: []int{1}, When: wh("false")}))),
			play: []string{"start", "a/1 infra"},
			want: "> start\nstart a/1\n> a/1 infra\nretried a: attempt 1 failed (StoreUnavailable, not counted as the step's own failure); the next one starts in 0s\nstart a/2 user=1",
		},
		{
			name: "within, when the delay is too long", p: pipeline(step("a", retry(program.Retry{Attempts: 9, Delay: 10 * second, Within: 5 * second}))), play: []string{"start", "a/1 fail 1"},
			want: "> start\nstart a/1\n> a/1 fail 1\na failed Error: not tried again: the next attempt would start later than retry.within\nend failed StepsFailed: a failed",
		},
		{
			name: "within, when there was no room in time", limit: 1, p: pipeline(step("a", retry(program.Retry{Attempts: 9, Delay: second, Within: 5 * second})), step("b")),
			play: []string{"start", "a/1 began", "a/1 fail 1", "+2s", "timer retry/a/2", "+4s", "b/1 ok"},
			want: `> start
				start a/1
				> a/1 began
				> a/1 fail 1
				retried a: attempt 1 failed with exit code 1; the next one starts in 1.079s
				timer retry/a/2 1.078785904s
				start b/1
				> timer retry/a/2
				> b/1 ok
				b succeeded
				a failed Error: not tried again: retry.within is over
				end failed StepsFailed: a failed`,
		},
		{
			name: "outputs of failed attempts are never seen", p: pipeline(step("a", retry(program.Retry{Attempts: 2}), output("x", "number")),
				step("b", needs("output", "a"), input("x", "number", ref("step.a.x")))),
			play: []string{"start", "a/1 fail 1 x=1", "a/2 ok x=2"},
			want: `> start
				start a/1
				> a/1 fail 1 x=1
				retried a: attempt 1 failed with exit code 1; the next one starts in 0s
				start a/2
				> a/2 ok x=2
				a succeeded
				start b/1 x=2`,
		},
		{
			name: "cancel between attempts", p: pipeline(step("a", retry(program.Retry{Attempts: 2, Delay: second}))), play: []string{"start", "a/1 fail 1", "cancel"},
			want: `> start
				start a/1
				> a/1 fail 1
				retried a: attempt 1 failed with exit code 1; the next one starts in 1.079s
				timer retry/a/2 1.078785904s
				> cancel
				a failed Error: not tried again: the run was cancelled
				end cancelled Cancelled`,
		},
	})
}

func TestDelay(t *testing.T) {
	for _, tc := range []struct {
		name     string
		r        program.Retry
		failures int
		low, top time.Duration
	}{
		{"none", program.Retry{}, 3, 0, 0},
		{"first", program.Retry{Delay: 10 * second, Factor: 2}, 1, 9 * time.Second, 11 * time.Second},
		{"third", program.Retry{Delay: 10 * second, Factor: 2}, 3, 36 * time.Second, 44 * time.Second},
		{"no factor", program.Retry{Delay: 10 * second}, 7, 9 * time.Second, 11 * time.Second},
		{"capped", program.Retry{Delay: 10 * second, Factor: 2, MaxDelay: 15 * second}, 9, 13500 * time.Millisecond, 15 * time.Second},
		{"beyond numbers", program.Retry{Delay: 10 * second, Factor: 1e300}, 1000, 21 * time.Hour, maxDelay},
		{"negative", program.Retry{Delay: -second, Factor: 2}, 2, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for attempt := range 50 {
				s := &State{run: &record.Run{UID: "u"}}
				d := s.delay(&node{step: &program.Step{Name: "a", Retry: tc.r}, attempts: attempt}, tc.failures)
				if d < tc.low || d > tc.top {
					t.Errorf("attempt %d: %s is not between %s and %s", attempt, d, tc.low, tc.top)
				}
			}
		})
	}
}

func TestJitterDiffers(t *testing.T) {
	seen := map[float64]string{}
	for _, uid := range []string{"u", "v"} {
		for _, name := range []string{"a", "b"} {
			for attempt := range 20 {
				s := &State{run: &record.Run{UID: uid}}
				j := s.jitter(&node{addr: name, attempts: attempt})
				if other, ok := seen[j]; ok || j < -1 || j > 1 {
					t.Errorf("%s %s %d has jitter %v, as %q", uid, name, attempt, j, other)
				}
				seen[j] = uid + name
			}
		}
	}
}

func TestOOMIsCounted(t *testing.T) {
	sc := newScript(t, pipeline(step("a", retry(program.Retry{Attempts: 3}))), newRun(), 0).play("start", "a/1 oom", "a/2 fail 1")
	if got := lastSpec(t, sc, "a/3"); got.OOMs != 1 || got.UserAttempt != 3 {
		t.Errorf("got %+v", got)
	}
}
