package kube

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/earlier"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Forecast is what a run that is started now, without params of its own, would do.
type Forecast struct {
	Cached []string `json:"cached"` // steps whose result an earlier run has left, sorted
	Run    []string `json:"run"`    // steps that would start a pod for sure, sorted; what depends on them is in neither
}

// Foresee asks the engine and the cache what a run of a bound program would do, and does nothing. It is nil where no step
// is cached, a param has no value, or one is still to be imported.
func Foresee(ctx context.Context, s store.Store, p *program.Program) (*Forecast, error) {
	if !slices.ContainsFunc(p.All(), func(s *program.Step) bool { return s.Cache != nil }) {
		return nil, nil
	}
	run := &record.Run{Version: record.Version, Name: "plan", Pipeline: p.Pipeline, Namespace: p.Target.Namespace, Codes: map[string]string{}, CreatedAt: now()}
	for i := range p.Codes {
		run.Codes[p.Codes[i].Name] = p.Codes[i].Digest
	}
	var given map[string]json.RawMessage
	if p.Schedule != nil {
		given = p.Schedule.Params
	}
	filled, err := params.Fill(p, given)
	if err != nil || slices.ContainsFunc(filled.Imports, func(i record.Import) bool { return i.Empty() }) { // what is not imported yet is not known
		return nil, nil
	}
	run.Params, run.Imports = filled.Values, filled.Imports
	var missing *earlier.Missing
	run.Project = p.Project
	if run.Last, err = earlier.Find(ctx, s, p, run, nil); errors.As(err, &missing) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	state, err := engine.New(p, run, 0)
	if err != nil {
		return nil, err
	}
	out := &Forecast{Cached: []string{}, Run: []string{}}
	queue := []record.Event{{Type: record.RunStarted}}
	for len(queue) > 0 {
		var asked []engine.Spec
		var entered []record.Event
		for _, e := range queue {
			e.Version, e.At, e.Run = record.Version, run.CreatedAt, run.Name
			var actions []engine.Action
			state, actions = engine.Next(state, e)
			for _, a := range actions {
				switch a := a.(type) {
				case engine.CheckCache:
					asked = append(asked, a.Spec)
				case engine.EnterGroup: // it may have to wait, and comes in
					entered = append(entered, record.Event{Type: record.GroupEntered, Step: a.Step, Attempt: a.Attempt})
				case engine.StartAttempt:
					out.Run = append(out.Run, a.Spec.Step)
				}
			}
		}
		queue = append(entered, answers(ctx, s, run, asked)...)
		for i := range queue {
			if queue[i].Result != nil {
				out.Cached = append(out.Cached, queue[i].Step)
			}
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	slices.Sort(out.Cached)
	slices.Sort(out.Run)
	return out, nil
}

// answers are what the cache says to each step that asks.
func answers(ctx context.Context, s store.Store, run *record.Run, asked []engine.Spec) []record.Event {
	out := make([]record.Event, len(asked))
	g := errgroup.Group{}
	g.SetLimit(reads)
	for i := range asked {
		g.Go(func() error {
			spec := asked[i]
			spec.Attempt = 1
			out[i] = record.Event{Type: record.CacheChecked, Step: spec.Step}
			task := taskOf(run, &spec)
			key := step.ImageKey(task, task.Program.ImageDigest)
			if entry, _ := cache.Lookup(ctx, s, key.Digest, task.Program.Cache.TTL.D()); entry != nil {
				out[i].Result, out[i].From = &entry.Result, entry.Run
			}
			return nil
		})
	}
	_ = g.Wait()
	return out
}
