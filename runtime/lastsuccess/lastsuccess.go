// Package lastsuccess finds the values of last_success: for each output that a program reads of another pipeline, the output
// of the newest run of that pipeline that succeeded and has it. It is the same for every driver. It reads the index of
// runs from its newest end, and writes nothing: the driver records what was found, so that a restart and a rerun read
// the same values.
package lastsuccess

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

const (
	maxRuns = 1000 // the number of runs of a pipeline that are read
	atOnce  = 16   // how many of them are read at the same time, if the newest is not enough
)

// Missing lists the required outputs that were not found.
type Missing struct{ Message, Hint string }

func (m *Missing) Error() string { return m.Message }

// Find returns the outputs of earlier runs that program p reads, for a run that is about to start. Only runs of the same
// project, namespace and renamed definition count. If run is a rerun of the run of, which may be nil, the values that of was started with are
// used if they still fit. The error is a *Missing if a required output was not found.
func Find(ctx context.Context, s store.Store, p *program.Program, run, of *record.Run) ([]record.LastSuccess, error) {
	var out []record.LastSuccess
	required := map[string][]*program.LastSuccess{} // the outputs to find, by pipeline
	for i := range p.LastSuccess {
		l := &p.LastSuccess[i]
		if had := kept(of, l); had != nil {
			out = append(out, *had)
			continue
		}
		required[l.Pipeline] = append(required[l.Pipeline], l)
	}
	f := finder{store: s, run: run}
	for _, l := range p.LastSuccess { // sorted by pipeline
		if list := required[l.Pipeline]; list != nil {
			delete(required, l.Pipeline)
			found, err := f.pipeline(ctx, l.Pipeline, list)
			if err != nil {
				return nil, err
			}
			out = append(out, found...)
		}
	}
	if len(f.missing) > 0 {
		return nil, &Missing{Message: strings.Join(f.missing, "\n"), Hint: f.hint}
	}
	slices.SortFunc(out, func(a, b record.LastSuccess) int {
		return strings.Compare(a.Pipeline+"\x00"+a.Datum.Name, b.Pipeline+"\x00"+b.Datum.Name)
	})
	return out, nil
}

// kept returns what a run was started with, if it still fits; else nil.
func kept(of *record.Run, l *program.LastSuccess) *record.LastSuccess {
	if of == nil {
		return nil
	}
	for i := range of.LastSuccess {
		if found := &of.LastSuccess[i]; found.Pipeline == l.Pipeline && found.Datum.Name == l.Output && fits(&found.Datum, l.Type) {
			return found
		}
	}
	return nil
}

type finder struct {
	store   store.Store
	run     *record.Run
	missing []string
	hint    string
}

// pipeline reads the runs of a pipeline, the newest first, until all outputs are found. It reads one run, and then each time
// twice as many at once.
func (f *finder) pipeline(ctx context.Context, pipeline string, open []*program.LastSuccess) ([]record.LastSuccess, error) {
	g := gathering{pipeline: pipeline, open: open, stale: map[string]string{}}
	var batch []*record.Run
	seen, size, more := 0, 1, false
	for key, err := range f.store.List(ctx, record.IndexDir(f.run.Namespace)+pipeline+"/", "") {
		if err != nil {
			return nil, err
		}
		if more = seen == maxRuns; more {
			break
		}
		at, ok := record.IndexEntry(key)
		if !ok {
			continue
		}
		seen++
		if batch = append(batch, at); len(batch) < size {
			continue
		}
		if err := f.look(ctx, batch, &g); err != nil {
			return nil, err
		}
		if len(g.open) == 0 {
			break
		}
		batch, size = batch[:0], min(2*size, atOnce)
	}
	if err := f.look(ctx, batch, &g); err != nil {
		return nil, err
	}
	for _, l := range g.open {
		if l.Required {
			none := fmt.Sprintf("no run of pipeline %s has succeeded yet and written", pipeline)
			if more {
				none = fmt.Sprintf("none of the newest %d runs of pipeline %s has succeeded and written", maxRuns, pipeline)
			}
			f.missing = append(f.missing, fmt.Sprintf("%s its output %s as %s, which last_success reads%s", none, l.Output, l.Type, g.stale[l.Output]))
			f.hint = fmt.Sprintf("Run %s first, or set a default: coalesce(last_success(pipeline.%s, %q), …).", pipeline, pipeline, l.Output)
		}
	}
	return g.out, nil
}

// look reads runs at the same time, and takes their outputs in order.
func (f *finder) look(ctx context.Context, entries []*record.Run, g *gathering) error {
	type result struct {
		name string
		end  *record.End
		err  error
	}
	if len(g.open) == 0 {
		return nil
	}
	results := make([]result, len(entries))
	var group errgroup.Group // a run that can't be read only matters if no newer run has the outputs
	group.SetLimit(atOnce)
	for i, at := range entries {
		group.Go(func() error {
			r := &results[i]
			r.name = at.Name
			r.end, r.err = f.succeeded(ctx, at)
			return nil
		})
	}
	_ = group.Wait()
	for _, r := range results {
		switch {
		case len(g.open) == 0:
			return nil
		case r.err != nil:
			return r.err
		case r.end != nil:
			g.take(r.name, r.end)
		}
	}
	return nil
}

// gathering is what was found so far in runs of a pipeline.
type gathering struct {
	pipeline string
	open     []*program.LastSuccess // the outputs that are not found yet
	out      []record.LastSuccess
	stale    map[string]string // what to report about outputs that the newest run has with another type
}

// take takes the requested outputs of a run that has succeeded.
func (g *gathering) take(run string, end *record.End) {
	g.open = slices.DeleteFunc(g.open, func(l *program.LastSuccess) bool {
		i := slices.IndexFunc(end.Outputs, func(d record.Datum) bool { return d.Name == l.Output })
		switch {
		case i < 0 || g.stale[l.Output] != "":
			return false
		case !fits(&end.Outputs[i], l.Type):
			g.stale[l.Output] = fmt.Sprintf(" (run %s has written it as %s)", run, end.Outputs[i].Type)
			return !l.Required
		}
		g.out = append(g.out, record.LastSuccess{Pipeline: g.pipeline, Run: run, Datum: end.Outputs[i]})
		return true
	})
}

// succeeded reads the end of the run of an index entry; nil if the run is not of this project, or has not succeeded.
func (f *finder) succeeded(ctx context.Context, at *record.Run) (*record.End, error) {
	end, err := read[record.End](ctx, f.store, at.EndKey())
	if err != nil || end == nil || end.Status != record.Succeeded {
		return nil, err
	}
	run, err := read[record.Run](ctx, f.store, at.RunKey())
	if err != nil || run == nil || run.Project != f.run.Project || run.Renamed != f.run.Renamed {
		return nil, err
	}
	return end, nil
}

// read reads a record; nil if there is none, or if it is damaged: that must not make later runs fail.
func read[T any](ctx context.Context, s store.Store, key string) (*T, error) {
	data, err := store.ReadAll(ctx, s, key)
	if errors.Is(err, store.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var v T
	if store.DecodeJSON(data, &v) != nil {
		return nil, nil
	}
	return &v, nil
}

// fits reports whether an output of a run can be used as a type.
func fits(d *record.Datum, typ string) bool {
	if d.Type == typ {
		return true
	}
	from, err := types.ParseString(d.Type)
	if err != nil {
		return false
	}
	to, err := types.ParseString(typ)
	return err == nil && types.Assignable(from, to) == nil
}
