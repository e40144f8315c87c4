package engine

import (
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
)

func TestStops(t *testing.T) {
	fan := func() *program.Program {
		return pipeline(step("a"), step("b", retry(program.Retry{Attempts: 3, Delay: program.Duration(time.Second)})), step("c"), step("d", needs("output", "a")))
	}
	cleanup := step("f", needs("status", "a"), input("s", "string", ex(`"${run.status} ${step.a.status}"`, "string", "run.status", "step.a.status")))
	timed := func(p *program.Program) *program.Program { p.Timeout = program.Duration(time.Minute); return p }
	testScenarios(t, []scenario{
		{
			name: "continue", limit: 2, p: finally(fan(), cleanup), play: []string{"start", "a/1 fail 1", "b/1 ok", "c/1 ok", "f/1 ok"},
			want: `> start
				start a/1
				start b/1
				> a/1 fail 1
				a failed Error
				d skipped UpstreamFailed: a failed
				start c/1
				> b/1 ok
				b succeeded
				> c/1 ok
				c succeeded
				start f/1 s="failed failed"
				> f/1 ok
				f succeeded
				end failed StepsFailed: a failed`,
		},
		{
			name: "stop starts nothing new, not even another attempt", limit: 2, p: finally(onFailure("stop", fan()), cleanup),
			play: []string{"start", "a/1 fail 1", "b/1 fail 1", "f/1 ok"},
			want: `> start
				start a/1
				start b/1
				> a/1 fail 1
				a failed Error
				d skipped UpstreamFailed: a failed
				c skipped Stopped: a failed, and on_failure is stop
				> b/1 fail 1
				b failed Error: not tried again: a failed, and on_failure is stop
				start f/1 s="failed failed"
				> f/1 ok
				f succeeded
				end failed StepsFailed: a failed, b failed`,
		},
		{
			name: "stop ends a step that waits for its next attempt", limit: 2, p: onFailure("stop", fan()),
			play: []string{"start", "b/1 fail 1", "+100ms", "a/1 fail 1", "c/1 ok", "timer retry/b/2"},
			want: `> start
				start a/1
				start b/1
				> b/1 fail 1
				retried b: attempt 1 failed with exit code 1; the next one starts in 1.019s
				timer retry/b/2 1.01890929s
				start c/1
				> a/1 fail 1
				a failed Error
				d skipped UpstreamFailed: a failed
				b failed Error: not tried again: a failed, and on_failure is stop
				> c/1 ok
				c succeeded
				end failed StepsFailed: a failed, b failed
				> timer retry/b/2`,
		},
		{
			name: "abort stops what runs", limit: 2, p: finally(onFailure("abort", fan()), cleanup), play: []string{"start", "a/1 fail 1", "b/1 fail 143", "f/1 ok"},
			want: `> start
				start a/1
				start b/1
				> a/1 fail 1
				a failed Error
				d skipped UpstreamFailed: a failed
				stop b/1: a failed, and on_failure is abort
				c skipped Stopped: a failed, and on_failure is abort
				> b/1 fail 143
				b cancelled Cancelled: a failed, and on_failure is abort
				start f/1 s="failed failed"
				> f/1 ok
				f succeeded
				end failed StepsFailed: a failed`,
		},
		{
			name: "continue_on_failure stops nothing", limit: 1, p: onFailure("abort", pipeline(step("a", steadfast), step("b"))), play: []string{"start", "a/1 fail 1", "b/1 ok"},
			want: "> start\nstart a/1\n> a/1 fail 1\na failed Error\nstart b/1\n> b/1 ok\nb succeeded\nend succeeded",
		},
		{
			name: "cancel", limit: 2, p: finally(fan(), cleanup), play: []string{"start", "cancel", "a/1 ok", "b/1 infra", "f/1 ok"},
			want: `> start
				start a/1
				start b/1
				> cancel
				stop a/1: the run was cancelled
				stop b/1: the run was cancelled
				c skipped Stopped: the run was cancelled
				d skipped Stopped: the run was cancelled
				> a/1 ok
				a succeeded
				> b/1 infra
				b cancelled Cancelled: the run was cancelled
				start f/1 s="cancelled succeeded"
				> f/1 ok
				f succeeded
				end cancelled Cancelled`,
		},
		{
			name: "who ends well when told to stop has been cancelled", p: pipeline(step("a", output("x", "number")), step("b", needs("output", "a"))),
			play: []string{"start", "cancel", "a/1 ok_told x=1"},
			want: `> start
				start a/1
				> cancel
				stop a/1: the run was cancelled
				b skipped Stopped: the run was cancelled
				> a/1 ok_told x=1
				a cancelled Cancelled: the run was cancelled
				end cancelled Cancelled`,
		},
		{
			name: "and has succeeded where the run didn't tell it", p: pipeline(step("a", output("x", "number"))),
			play: []string{"start", "a/1 ok_told x=1"},
			want: `> start
				start a/1
				> a/1 ok_told x=1
				a succeeded
				end succeeded`,
		},
		{
			name: "cancel twice", limit: 1, p: finally(pipeline(step("a")), step("f"), step("g")),
			play: []string{"start", "cancel", "a/1 cancelled", "cancel", "f/1 cancelled"},
			want: `> start
				start a/1
				> cancel
				stop a/1: the run was cancelled
				> a/1 cancelled
				a cancelled Cancelled: the run was cancelled
				start f/1
				> cancel
				stop f/1: the run was cancelled twice
				g skipped Stopped: the run was cancelled twice
				> f/1 cancelled
				f cancelled Cancelled: the run was cancelled twice
				end cancelled Cancelled`,
		},
		{
			name: "cancel twice before finally", p: finally(pipeline(step("a")), step("f")), play: []string{"start", "cancel", "cancel", "a/1 cancelled"},
			want: `> start
				start a/1
				> cancel
				stop a/1: the run was cancelled
				> cancel
				f skipped Stopped: the run was cancelled twice
				> a/1 cancelled
				a cancelled Cancelled: the run was cancelled
				end cancelled Cancelled`,
		},
		{
			name: "cancel before the start", p: finally(pipeline(step("a")), step("f")), play: []string{"cancel", "start", "f/1 ok"},
			want: "> cancel\na skipped Stopped: the run was cancelled\n> start\nstart f/1\n> f/1 ok\nf succeeded\nend cancelled Cancelled",
		},
		{
			name: "cancel while finally runs does not stop it", p: finally(pipeline(), step("f")), play: []string{"start", "cancel", "f/1 ok"},
			want: "> start\nstart f/1\n> cancel\n> f/1 ok\nf succeeded\nend cancelled Cancelled",
		},
		{
			name: "timeout", limit: 1, p: timed(finally(pipeline(step("a"), step("b")), cleanup)),
			play: []string{"start", "+1m", "timer timeout", "timer timeout", "a/1 cancelled", "f/1 ok"},
			want: `> start
				timer timeout 1m0s
				start a/1
				> timer timeout
				stop a/1: the run took longer than its timeout of 1m0s
				b skipped Stopped: the run took longer than its timeout of 1m0s
				> timer timeout
				> a/1 cancelled
				a cancelled Cancelled: the run took longer than its timeout of 1m0s
				start f/1 s="timed_out cancelled"
				> f/1 ok
				f succeeded
				end timed_out RunTimeout: the run took longer than its timeout of 1m0s`,
		},
		{
			name: "timeout does not bound finally", p: timed(finally(pipeline(step("a")), cleanup)), play: []string{"start", "a/1 ok", "+1m", "timer timeout", "f/1 ok"},
			want: "> start\ntimer timeout 1m0s\nstart a/1\n> a/1 ok\na succeeded\nstart f/1 s=\"succeeded succeeded\"\n> timer timeout\n> f/1 ok\nf succeeded\nend succeeded",
		},
		{
			name: "a finally step fails", p: finally(pipeline(step("a")), step("f"), step("g", needs("output", "f")), step("h", steadfast)),
			play: []string{"start", "a/1 ok", "f/1 fail 1", "h/1 fail 1"},
			want: `> start
				start a/1
				> a/1 ok
				a succeeded
				start f/1
				start h/1
				> f/1 fail 1
				f failed Error
				g skipped UpstreamFailed: f failed
				> h/1 fail 1
				h failed Error
				end failed FinallyFailed: f failed`,
		},
		{
			name: "stopped from elsewhere", p: pipeline(step("a")), play: []string{"start", "a/1 cancelled"},
			want: "> start\nstart a/1\n> a/1 cancelled\na cancelled Cancelled\nend failed StepsFailed: a was cancelled",
		},
	})
}
