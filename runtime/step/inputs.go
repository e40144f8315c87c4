package step

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// inputsAtOnce is how many inputs are fetched at the same time.
const inputsAtOnce = 4

// prepare makes the directories, fetches the inputs and unpacks the code.
func (s *Spec) prepare(ctx context.Context, st store.Store) *failure {
	for _, dir := range []string{"", inputsDir, outputsDir, scratchDir} {
		if err := makeDir(filepath.Join(s.Root, dir)); err != nil {
			return worldFault(record.ReasonStart, "can't make the step's directory: %s", err)
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(inputsAtOnce)
	for i := range s.Inputs {
		d := &s.Inputs[i]
		if d.Artifact == nil {
			if f := s.writeValue(d); f != nil {
				return f
			}
			continue
		}
		g.Go(func() error {
			if err := store.Fetch(ctx, st, *d.Artifact, s.InputPath(d.Name)); err != nil {
				return worldFault(record.ReasonInput, "input %q can't be fetched: %s", d.Name, err)
			}
			return nil
		})
	}
	var fail *failure
	if errors.As(g.Wait(), &fail) {
		return fail
	}
	return nil
}

// makeDir is MkdirAll that first tries the last directory alone: mostly the others are there.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o777)
	if err == nil || errors.Is(err, os.ErrExist) {
		return nil
	}
	return os.MkdirAll(dir, 0o777)
}

func (s *Spec) writeValue(d *record.Datum) *failure {
	if _, err := s.inputValue(d); err != nil {
		return userFault(record.ReasonInputInvalid, "input %q is not of its type %s: %s", d.Name, d.Type, err)
	}
	if err := os.WriteFile(s.InputPath(d.Name), append(d.Value[:len(d.Value):len(d.Value)], '\n'), 0o666); err != nil {
		return worldFault(record.ReasonInput, "input %q can't be written: %s", d.Name, err)
	}
	return nil
}

// unpack makes the working directory of the code.
func (s *Spec) unpack(ctx context.Context, st store.Store) *failure {
	if s.Code == "" {
		return nil
	}
	code := record.Artifact{Digest: s.Code, Directory: true}
	if err := store.Fetch(ctx, st, code, s.workDir()); err != nil {
		return worldFault(record.ReasonCode, "the code can't be unpacked: %s", err)
	}
	return nil
}
