package kube

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/runtime/kube/requests"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// ReasonForged is the reason of an attempt with a report, a result or a termination message, that its agent has not written. The
// user's process may have written it.
const ReasonForged = "ForgedReport"

// errForged reports that a result.json counts for nothing.
var errForged = errors.New("result.json was not written by pipec's agent")

// sealKey returns the key of an attempt's seal; "": the reports of this run have no seals.
func (d *driver) sealKey(id record.AttemptID) string {
	if d.record == nil || !d.record.Sealed {
		return ""
	}
	return d.record.SealKey(id.Step, id.Attempt)
}

// claims are what the termination message of the attempt's container states.
type claims struct {
	digest string // of result.json; "": nothing is known
	forged bool   // the agent has not written the message
}

// claims checks the termination message. It is called by the loop.
func (a *attempt) claims() (c claims) {
	m := a.pod.state.Main
	if m == nil || a.d.sealKey(a.id) == "" {
		return c
	}
	t, ok := step.ParseTermination(m.Message)
	if !ok {
		return c
	}
	if c.forged = !record.Sealed(a.d.sealKey(a.id), record.SealTermination, []byte(m.Message)); !c.forged {
		c.digest = t.Result
	}
	return c
}

// maxValue is the maximum size of an output in result.json, and of the rest of it. Larger ones are not read.
const maxValue = 2 << 20

// resultKey is the key of an attempt's committed result.
func (d *driver) resultKey(id record.AttemptID) string {
	return (&step.Spec{AttemptDir: d.record.AttemptDir(id.Step, id.Attempt)}).ResultKey()
}

// committed reads the result of the attempt; nil if there is none. It returns errForged if the agent has not written it: the seal
// is wrong, or want is the digest of another one. A refusal of the store that may pass, such as one because of a clock, is not
// the last word for a minute: the attempt may have succeeded.
func (a *attempt) committed(ctx context.Context, key, want string) (*record.Result, error) {
	wait, begun := a.d.requests.BackOff(), time.Now()
	for {
		r, err := readResult(ctx, a.d.store, a.d.resultKey(a.id), seal{key, want, 1 + len(a.spec.Def.Outputs)})
		switch {
		case err == nil:
			return r, nil
		case errors.Is(err, store.ErrNotExist):
			return nil, nil
		case errors.Is(err, errForged), store.ClassOf(err) != store.Permanent, time.Since(begun) >= requests.DeniedGrace: // of the others, the store has waited for the end
			return nil, err
		}
		t := time.NewTimer(wait.NextBackOff())
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, ctx.Err()
		}
	}
}

// seal is what a result.json has to look like.
type seal struct {
	key    string // of its seal; "": it has none
	digest string // "": any
	values int    // how many of its values may have the maximum size
}

// readResult reads a result.json. It returns errForged if the seal is wrong.
func readResult(ctx context.Context, s store.Store, object string, want seal) (*record.Result, error) {
	in, err := s.Get(ctx, object)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	limit := int64(maxValue) * int64(want.values)
	data, err := io.ReadAll(io.LimitReader(in, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("can't read %s: %w", object, err)
	case int64(len(data)) > limit && want.key == "":
		return nil, fmt.Errorf("%s has more than %d bytes", object, limit)
	case want.key != "" && (!record.Sealed(want.key, record.SealResult, data) || want.digest != "" && program.Digest(data) != want.digest):
		return nil, errForged
	}
	var r record.Result
	if err := store.DecodeJSON(data, &r); err != nil {
		return nil, fmt.Errorf("the record %s: %w", object, err)
	}
	return &r, nil
}

// forgery ends an attempt whose result.json the agent has not written: with the failure that the agent reports, or else with
// one that is due to the step.
func (a *attempt) forgery() {
	a.d.warn(a.id.Step, fmt.Sprintf("%s of attempt %d was not written by pipec's agent and is ignored: the step, or another program, can write to the artifact store", a.d.resultKey(a.id), a.id.Attempt))
	r := record.Result{
		Status: record.Failed, Class: record.ClassUser, Reason: ReasonForged,
		Message: "its result in the artifact store was not written by pipec's agent",
	}
	if m := a.pod.state.Main; m != nil && !a.claims().forged {
		if t, ok := step.ParseTermination(m.Message); ok && t.Result == "" && t.Status != record.Succeeded && t.Class == record.ClassUser {
			r.Status, r.Class, r.Reason, r.Message, r.ExitCode = t.Status, t.Class, t.Reason, t.Message, t.ExitCode
		}
	}
	a.settleAs(nil, &r)
}

// verdict is podstate.Verdict without termination messages that the agent has not written: they are the step's own fault, unless
// the cluster reports another cause.
func (a *attempt) verdict(committed *record.Result) record.Result {
	s := a.pod.state
	if !a.claims().forged {
		return podstate.Verdict(committed, &s, a.pod.gone)
	}
	main := *s.Main
	main.Message, s.Main = "", &main
	r := podstate.Verdict(committed, &s, a.pod.gone)
	if committed == nil && r.Class == record.ClassInfrastructure && r.Reason == record.ReasonLost {
		r.Class, r.Reason = record.ClassUser, ReasonForged
		r.Message += "; its termination message was not written by pipec's agent"
	}
	return r
}
