// Package earlier finds what a run is given of earlier ones: for each output that last_success reads, that of the newest run
// of its pipeline which succeeded and has it. It is the same for every driver, reads the index of runs from its newest
// end, and writes nothing: who starts a run records what was found, so that a restart and a rerun see the same.
package earlier

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
	maxRuns = 1000 // of a pipeline that are looked at
	atOnce  = 16   // of them, where the newest won't do
)

// Missing lists the required outputs that were not found.
type Missing struct{ Message, Hint string }

func (m *Missing) Error() string { return m.Message }

// Find gives run, which is about to start, what program p reads of earlier ones: of those of the run's own project and
// namespace. What the run of was given, which may be nil and is rerun, is taken first.
func Find(ctx context.Context, s store.Store, p *program.Program, run, of *record.Run) ([]record.Last, error) {
	var out []record.Last
	wanted := map[string][]*program.Last{} // by pipeline
	for i := range p.Last {
		l := &p.Last[i]
		if had := kept(of, l); had != nil {
			out = append(out, *had)
			continue
		}
		wanted[l.Pipeline] = append(wanted[l.Pipeline], l)
	}
	f := finder{store: s, run: run}
	for _, l := range p.Last { // sorted by pipeline
		if list := wanted[l.Pipeline]; list != nil {
			delete(wanted, l.Pipeline)
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
	slices.SortFunc(out, func(a, b record.Last) int {
		return strings.Compare(a.Pipeline+"\x00"+a.Datum.Name, b.Pipeline+"\x00"+b.Datum.Name)
	})
	return out, nil
}

// kept is what a run was given already, where it still fits.
func kept(of *record.Run, l *program.Last) *record.Last {
	if of == nil {
		return nil
	}
	for i := range of.Last {
		if found := &of.Last[i]; found.Pipeline == l.Pipeline && found.Datum.Name == l.Output && fits(&found.Datum, l.Type) {
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

// pipeline looks through the newest runs of a pipeline, the newest first, until all is found. It reads one, and twice as
// many at once each time that was not all.
func (f *finder) pipeline(ctx context.Context, pipeline string, wanted []*program.Last) ([]record.Last, error) {
	g := gathering{pipeline: pipeline, wanted: wanted, stale: map[string]string{}}
	var batch []string
	seen, size, more := 0, 1, false
	for key, err := range f.store.List(ctx, "index/"+pipeline+"/", "") {
		if err != nil {
			return nil, err
		}
		if more = seen == maxRuns; more {
			break
		}
		if _, _, _, ok := record.IndexEntry(key); !ok {
			continue
		}
		seen++
		if batch = append(batch, key); len(batch) < size {
			continue
		}
		if err := f.look(ctx, batch, &g); err != nil {
			return nil, err
		}
		if len(g.wanted) == 0 {
			break
		}
		batch, size = batch[:0], min(2*size, atOnce)
	}
	if err := f.look(ctx, batch, &g); err != nil {
		return nil, err
	}
	for _, l := range g.wanted {
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

// look reads runs at once, and takes what they have in their order.
func (f *finder) look(ctx context.Context, keys []string, g *gathering) error {
	type result struct {
		name string
		end  *record.End
		err  error
	}
	if len(g.wanted) == 0 {
		return nil
	}
	results := make([]result, len(keys))
	var group errgroup.Group // an unreadable run does not matter if an earlier one is found
	group.SetLimit(atOnce)
	for i, key := range keys {
		group.Go(func() error {
			r := &results[i]
			r.name, r.end, r.err = f.succeeded(ctx, key)
			return nil
		})
	}
	_ = group.Wait()
	for _, r := range results {
		switch {
		case len(g.wanted) == 0:
			return nil
		case r.err != nil:
			return r.err
		case r.end != nil:
			g.take(r.name, r.end)
		}
	}
	return nil
}

// gathering is what was found of a pipeline so far.
type gathering struct {
	pipeline string
	wanted   []*program.Last // and not found
	out      []record.Last
	stale    map[string]string // outputs that the newest run has left as something else
}

// take takes the requested outputs of a run that has succeeded.
func (g *gathering) take(run string, end *record.End) {
	g.wanted = slices.DeleteFunc(g.wanted, func(l *program.Last) bool {
		i := slices.IndexFunc(end.Outputs, func(d record.Datum) bool { return d.Name == l.Output })
		switch {
		case i < 0 || g.stale[l.Output] != "":
			return false
		case !fits(&end.Outputs[i], l.Type):
			g.stale[l.Output] = fmt.Sprintf(" (run %s has written it as %s)", run, end.Outputs[i].Type)
			return !l.Required
		}
		g.out = append(g.out, record.Last{Pipeline: g.pipeline, Run: run, Datum: end.Outputs[i]})
		return true
	})
}

// succeeded reads how the run of an index entry has ended; nil where it is not of this project, or has not succeeded.
func (f *finder) succeeded(ctx context.Context, key string) (string, *record.End, error) {
	pipeline, name, _, ok := record.IndexEntry(key)
	if !ok {
		return "", nil, nil
	}
	at, err := read[record.Indexed](ctx, f.store, key)
	if err != nil || at == nil || at.Namespace != f.run.Namespace {
		return "", nil, err
	}
	run := &record.Run{Namespace: at.Namespace, Pipeline: pipeline, Name: name}
	end, err := read[record.End](ctx, f.store, run.EndKey())
	if err != nil || end == nil || end.Status != record.Succeeded {
		return "", nil, err
	}
	if run, err = read[record.Run](ctx, f.store, run.RunKey()); err != nil || run == nil || run.Project != f.run.Project {
		return "", nil, err
	}
	return name, end, nil
}

// read reads a record. One that is not there, or is damaged, is nil: no later run should fail for it.
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
