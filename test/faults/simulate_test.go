package faults

import (
	"context"
	"embed"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/test/faults/check"
	"pipec.dev/pipec/test/faults/plan"
	"pipec.dev/pipec/test/faults/reference"
	"pipec.dev/pipec/test/faults/world"
)

//go:embed testdata/runs
var runs embed.FS

const (
	// limit is how long a run may take, by its own clock.
	limit = 90 * time.Minute
	// rest is how long after the end of a run everything must have come to rest.
	rest = 15 * time.Minute
)

// simulator simulates cells. It is used by one goroutine.
type simulator struct {
	runs    map[string]*reference.Reference
	names   []string
	before  map[string]map[string][]byte // what the earlier runs have left in the store, by the reference run
	environ *step.Inherited
	dir     string // of the files of steps
}

func newSimulator(t *testing.T) *simulator {
	t.Helper()
	all, err := reference.Load(runs, "testdata/runs")
	if err != nil {
		t.Fatal(err)
	}
	s := &simulator{runs: map[string]*reference.Reference{}, before: map[string]map[string][]byte{}, environ: step.Inherit([]string{"PATH=/bin:/usr/bin"}), dir: filepath.Join(t.TempDir(), "steps")}
	for _, r := range all {
		s.runs[r.Name], s.names = r, append(s.names, r.Name)
		if r.Before != nil {
			o := r.Earlier()
			o.Dir, o.Environ = s.dir, s.environ
			w, _ := play(t, o)
			s.before[r.Name] = w.Objects.All()
		}
	}
	return s
}

// play simulates a run, and reports whether it has ended in time.
func play(t *testing.T, o world.Options) (w *world.World, ended bool) {
	synctest.Test(t, func(t *testing.T) {
		w = world.New(t, o)
		ended = w.Play(context.Background(), limit, rest)
	})
	_ = os.RemoveAll(o.Dir)
	return w, ended
}

// run simulates a cell, and returns what is wrong.
func (s *simulator) run(t *testing.T, c plan.Cell) (*world.World, []check.Fault) {
	r := s.runs[c.Run]
	seed(c.Seed)
	o := r.Options(c)
	o.Store, o.Dir, o.Environ = s.before[r.Name], s.dir, s.environ
	w, ended := play(t, o)
	return w, check.Run(check.Input{Cell: c, Reference: r, History: w.History.Events(), Store: w.Objects, Ended: ended})
}
