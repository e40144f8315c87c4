package kube

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// create records a run: its program, and then the run. The error is ErrTakenOver if another coordinator of the Job has recorded
// it first. The next coordinator then resumes that run.
func create(ctx context.Context, s store.Store, run *record.Run, p *Loaded) error {
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return store.ProveOnce(gctx, s) })
	g.Go(func() error {
		encoded, err := p.encoded()
		if err != nil {
			return err
		}
		err = s.Put(gctx, record.ProgramKey(run.Program), bytes.NewReader(encoded), store.IfAbsent)
		if errors.Is(err, store.ErrExists) {
			return nil
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return storeFault(err)
	}
	err := store.WriteJSON(ctx, s, run.RunKey(), run, store.IfAbsent)
	if errors.Is(err, store.ErrExists) {
		return ErrTakenOver
	}
	return err
}

// index adds a run to the list of runs.
func index(ctx context.Context, s store.Store, run *record.Run) error {
	at := record.Indexed{Version: record.Version}
	err := store.WriteJSON(ctx, s, run.IndexKey(), &at, store.IfAbsent)
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// checkCode checks that the store contains the code of the steps, before the first pod is created.
func checkCode(ctx context.Context, s store.Store, p *program.Program) error {
	g, gctx := errgroup.WithContext(ctx)
	for i := range p.Codes {
		c := &p.Codes[i]
		if c.Digest == "" {
			return drive.Refuse(drive.RefusedCode, "the code %q was not pushed when the definition was made: `pipec push`, and apply it again", c.Name)
		}
		g.Go(func() error {
			_, err := s.Stat(gctx, record.BlobKey(c.Digest))
			if errors.Is(err, store.ErrNotExist) {
				return drive.Refuse(drive.RefusedCode, "the code %q (%s) is not in the store: `pipec push` uploads it", c.Name, c.Digest)
			}
			return err
		})
	}
	return g.Wait()
}

// storeFault returns the refusal for a permanent fault of the store that occurs before the run is recorded.
func storeFault(err error) error {
	if store.ClassOf(err) == store.Transient {
		return err
	}
	return drive.Refuse(drive.RefusedStore, "the run can't be recorded in the artifact store: %s", err)
}

// maxReported limits the values of steps in the report of a run's end, in bytes.
const maxReported = 1 << 20

// shortened returns the end of a run without the outputs of its steps if they are large. The record of the end has them, and
// they were reported with the ends of the steps.
func shortened(end *record.End) *record.End {
	if end == nil {
		return nil
	}
	total := 0
	for i := range end.Steps {
		for j := range end.Steps[i].Outputs {
			total += len(end.Steps[i].Outputs[j].Value)
		}
	}
	if total <= maxReported {
		return end
	}
	short := *end
	short.Steps = slices.Clone(end.Steps)
	for i := range short.Steps {
		short.Steps[i].Outputs = nil
	}
	return &short
}
