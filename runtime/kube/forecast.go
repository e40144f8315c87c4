package kube

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/cache"
	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Forecast describes what a run would do if it were started now, with the params of the schedule or their defaults.
type Forecast struct {
	Cached []string `json:"cached"` // the steps whose result is cached, sorted
	Run    []string `json:"run"`    // the steps that would certainly start a pod, sorted; steps that depend on them are in neither list
}

// Foresee computes what a run of a bound program would do. It changes nothing. It returns nil if no step uses the cache, if a
// param has no value, or if an artifact has yet to be imported.
func Foresee(ctx context.Context, s store.Store, p *program.Program) (*Forecast, error) {
	if !slices.ContainsFunc(p.All(), func(s *program.Step) bool { return s.Cache != nil }) {
		return nil, nil
	}
	run := &record.Run{
		Version: record.Version, Name: "plan", Project: p.Project, Pipeline: p.Pipeline, Namespace: p.Target.Namespace,
		Codes: codesOf(p), CreatedAt: now(),
	}
	request := drive.Request{}
	if s := p.Schedule(""); s != nil {
		request.Params = s.Params
	}
	var refusal *drive.Refusal
	if err := request.Describe(ctx, s, p, run); errors.As(err, &refusal) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(run.Imports, func(i record.Import) bool { return i.Empty() }) {
		return nil, nil
	}
	state, err := engine.New(p, run, 0)
	if err != nil {
		return nil, err
	}
	f := forecaster{store: s, run: run, state: state, out: &Forecast{Cached: []string{}, Run: []string{}}}
	return f.play(ctx)
}

// forecaster simulates a run: no attempt starts, and every other request of the engine is answered.
type forecaster struct {
	store store.Store
	run   *record.Run
	state *engine.State
	out   *Forecast
}

// play answers the engine's requests until only attempts remain.
func (f *forecaster) play(ctx context.Context) (*Forecast, error) {
	for queue := []record.Event{{Type: record.RunStarted}}; len(queue) > 0; {
		var lookups []engine.Spec
		var next []record.Event
		for _, e := range queue {
			l, n := f.take(e)
			lookups, next = append(lookups, l...), append(next, n...)
		}
		queue = append(next, f.lookUp(ctx, lookups)...)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	slices.Sort(f.out.Cached)
	slices.Sort(f.out.Run)
	return f.out, nil
}

// take passes an event to the engine. It returns the steps to look up in the cache, and the events that follow.
func (f *forecaster) take(e record.Event) (lookups []engine.Spec, next []record.Event) {
	e.Version, e.At, e.Run = record.Version, f.run.CreatedAt, f.run.Name
	var actions []engine.Action
	f.state, actions = engine.Next(f.state, e)
	for _, a := range actions {
		switch a := a.(type) {
		case engine.CheckCache:
			lookups = append(lookups, a.Spec)
		case engine.RequestSlot: // a run that has to wait gets its slot later
			next = append(next, record.Event{Type: record.GroupEntered, Step: a.Step, Attempt: a.Attempt})
		case engine.StartAttempt:
			f.out.Run = append(f.out.Run, a.Spec.Step)
		}
	}
	return lookups, next
}

// lookUp returns the CacheChecked events of steps.
func (f *forecaster) lookUp(ctx context.Context, specs []engine.Spec) []record.Event {
	out := make([]record.Event, len(specs))
	g := errgroup.Group{}
	g.SetLimit(reads)
	for i := range specs {
		g.Go(func() error {
			spec := specs[i]
			spec.Attempt = 1
			out[i] = record.Event{Type: record.CacheChecked, Step: spec.Step}
			task := taskOf(f.run, &spec)
			key := step.ImageKey(task, task.Program.ImageDigest)
			if entry, _ := cache.Lookup(ctx, f.store, f.run.Namespace, key.Digest, task.Program.Cache.TTL.D()); entry != nil {
				out[i].Result, out[i].From = &entry.Result, entry.Run
			}
			return nil
		})
	}
	_ = g.Wait()
	for i := range out {
		if out[i].Result != nil {
			f.out.Cached = append(f.out.Cached, out[i].Step)
		}
	}
	return out
}
