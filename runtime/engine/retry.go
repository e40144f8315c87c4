package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// retries decides whether a failed attempt is followed by another one, and when.
type retries struct {
	uid    string // of the run
	graph  *graph
	eval   *evaluator
	timers map[string]int // retry timers that are set, to their node
}

// failedAttempt repeats the step or ends it.
func (lc *lifecycle) failedAttempt(i int) {
	n := &lc.graph.nodes[i]
	r := n.lastResult
	if r.Reason == record.ReasonOOM {
		n.ooms++
	}
	if n.step.Retry.AvoidNode && r.Node != "" && !slices.Contains(n.avoid, r.Node) {
		n.avoid = append(slices.Clip(n.avoid), r.Node)
	}
	failures := &n.userFailures
	if r.Class == record.ClassInfrastructure {
		failures = &n.infraFailures
	}
	*failures++
	again, why := lc.retries.again(n)
	if !again {
		lc.endAsLastAttempt(i, why)
		return
	}
	d := lc.retries.delay(n, *failures)
	at := lc.out.now.Add(d)
	if w := n.step.Retry.Within.D(); w > 0 && at.After(n.end.StartedAt.Add(w)) {
		lc.endAsLastAttempt(i, "the next attempt would start later than retry.within")
		return
	}
	lc.out.notify(record.Event{
		Type: record.StepRetried, Step: n.addr, Attempt: n.number(), Reason: r.Reason,
		Text: fmt.Sprintf("attempt %d %s; the next one starts in %s", n.number(), describe(r), d.Round(time.Millisecond)),
	})
	if d == 0 {
		lc.sched.makeReady(i)
		return
	}
	lc.graph.move(n, waiting)
	timer := "retry/" + n.addr + "/" + strconv.Itoa(n.number()+1)
	lc.retries.timers[timer] = i
	lc.out.act(SetTimer{Name: timer, At: at})
}

// describe returns a short description of how an attempt failed.
func describe(r *record.Result) string {
	text := "failed"
	if r.Status == record.TimedOut {
		text = "timed out"
	}
	if r.ExitCode != nil && *r.ExitCode != 0 {
		text += " with exit code " + strconv.Itoa(*r.ExitCode)
	}
	if r.Class == record.ClassInfrastructure {
		text += " (" + r.Reason + ", which is not counted as a failure of the step)"
	}
	return text
}

// again reports whether another attempt follows the failure and, if there is something to report, why not.
func (rt *retries) again(n *node) (bool, string) {
	retry, r := &n.step.Retry, n.lastResult
	if why := rt.graph.frames[n.frame].halted[n.section]; why != "" {
		return false, why
	}
	if r.Reason == record.ReasonInternal {
		return false, "an internal error of pipec would happen again"
	}
	if r.Class == record.ClassInfrastructure {
		return n.infraFailures <= retry.Infrastructure, ""
	}
	if n.userFailures >= retry.Attempts {
		return false, ""
	}
	if n.inner >= 0 {
		if m := rt.graph.refusal(n.inner); m != nil {
			return false, m.outcome() + ", and its answer is final"
		}
	}
	if len(retry.OnExitCodes) > 0 && (r.ExitCode == nil || !slices.Contains(retry.OnExitCodes, *r.ExitCode)) {
		return false, "retry.on_exit_codes doesn't include this failure"
	}
	if retry.When == nil {
		return true, ""
	}
	rd := reader{ev: rt.eval, node: n, value: retry.When, own: rt.failure(n)}
	ok, err := rd.bool()
	if err != nil {
		return false, "retry.when: " + err.Error()
	}
	return ok, "retry.when is false"
}

// failure returns the values that only retry.when can read.
func (rt *retries) failure(n *node) map[string]*source {
	own := map[string]*source{
		"attempt":   known(cty.NumberIntVal(int64(n.userFailures))),
		"exit_code": known(cty.NullVal(cty.Number)),
		"reason":    known(types.StringVal(n.lastResult.Reason)),
	}
	if n.lastResult.ExitCode != nil {
		own["exit_code"] = known(cty.NumberIntVal(int64(*n.lastResult.ExitCode)))
	}
	for _, ref := range n.step.Retry.When.Refs() {
		name, isInput := strings.CutPrefix(ref, "input.")
		if !isInput {
			continue
		}
		for i := range n.spec.Inputs {
			d := &n.spec.Inputs[i]
			if d.Name != name || d.Value == nil {
				continue
			}
			if s, err := given(d.Name, d.Type, d.Value, rt.eval.types[d.Type]); err == nil {
				own[ref] = s
			}
		}
	}
	return own
}

// The delay after a failure of the infrastructure is at least infraDelay, and infraFactor times as long after each further
// one, up to infraLongest: a node without room or a broken webhook would otherwise use up the budget within a second.
const (
	infraDelay   = time.Second
	infraFactor  = 4
	infraLongest = 5 * time.Minute
)

// maxDelay bounds the delay if the program does not.
const maxDelay = 24 * time.Hour

// delay returns the time between the nth failure of a kind and the next attempt. It is spread by a tenth, so that steps that fail
// together do not start again together.
func (rt *retries) delay(n *node, failures int) time.Duration {
	r := &n.step.Retry
	limit := maxDelay
	if m := r.MaxDelay.D(); m > 0 && m < limit {
		limit = m
	}
	d := float64(max(r.Delay, program.Duration(0)))
	if r.Factor > 0 {
		d *= math.Pow(r.Factor, float64(failures-1))
	}
	if n.lastResult != nil && n.lastResult.Class == record.ClassInfrastructure {
		d = math.Max(d, math.Min(float64(infraDelay)*math.Pow(infraFactor, float64(failures-1)), float64(infraLongest)))
	}
	d = math.Min(d, float64(limit))
	d *= 1 + rt.jitter(n)/10
	switch {
	case !(d > 0): // also NaN
		return 0
	case d >= float64(limit):
		return limit
	}
	return time.Duration(d)
}

// jitter returns a number from -1 to 1 that depends only on the run and the attempt.
func (rt *retries) jitter(n *node) float64 {
	sum := sha256.Sum256([]byte(rt.uid + "\x00" + n.addr + "\x00" + strconv.Itoa(n.number())))
	return float64(binary.BigEndian.Uint32(sum[:]))/math.MaxUint32*2 - 1
}
