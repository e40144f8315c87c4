package kube

import (
	"bytes"
	"context"
	"errors"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// A pod may appear after its attempt has ended: the API server carries out the request of a coordinator late, or a node is
// silent. If that pod succeeded beside the next attempt, the step would have succeeded twice. So the coordinator commits the
// result of such an attempt before the next one can start. A pod that finds this result runs nothing, and one that has begun
// can't commit another result. If the pod has committed before, its result counts.

// mayCommit reports whether a pod of an attempt without a result may still commit one. An attempt that the engine has stopped
// is followed by no other.
func (a *attempt) mayCommit() bool {
	appears := a.d.resumed || a.maker != nil && a.maker.judge.maybe
	runs := a.pod.uid != "" && !a.pod.gone && !a.pod.state.Ends()
	return a.ending.cause == "" && (appears || runs)
}

// revoke commits a result for an attempt that has none, and then ends the attempt with the result that counts.
func (a *attempt) revoke(r record.Result) {
	r.GivenUp = true
	known, key := a.pod.uid, a.d.sealKey(a.id)
	if known == "" {
		a.pod.gone = false // it may appear
	}
	a.d.revokes.do(func(ctx context.Context) func() {
		found, err := a.commit(ctx, &r, key)
		if ctx.Err() != nil || errors.Is(err, ErrTakenOver) {
			return nil // the successor finds out how the attempt has ended
		}
		if err != nil { // the store refuses that, or another program has written a result
			r.GivenUp = false
		}
		return func() {
			switch p := &a.pod; {
			case a.phase != revoking: // it is being removed
			case p.uid != known && !p.gone && !p.state.Ends():
				a.ending.result = &r
				a.remove()
			case found != nil:
				a.conclude(found, a.result(found, nil))
			default:
				a.conclude(nil, r)
			}
		}
	})
}

// commit commits a result, and returns the one that counts. It does so only while this coordinator may act.
func (a *attempt) commit(ctx context.Context, r *record.Result, key string) (*record.Result, error) {
	for {
		until, err := a.d.fence.pass(ctx)
		if err != nil {
			return nil, err
		}
		try, cancel := context.WithDeadline(ctx, until)
		err = a.write(try, r, key)
		cancel()
		switch {
		case err == nil:
			return r, nil
		case errors.Is(err, store.ErrExists):
			return a.committed(ctx, key, "")
		case ctx.Err() != nil || time.Now().Before(until):
			return nil, err
		}
	}
}

// write writes the attempt's result.json with its seal, if it does not exist.
func (a *attempt) write(ctx context.Context, r *record.Result, key string) error {
	data, err := store.EncodeJSON(r)
	if err != nil {
		return err
	}
	return a.d.store.Put(ctx, a.d.resultKey(a.id), bytes.NewReader(record.Seal(key, record.SealResult, data)), store.IfAbsent)
}
