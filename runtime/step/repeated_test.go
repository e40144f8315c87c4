//go:build linux

package step_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// reader counts how often an object is read, and fails to read it if broken is not nil.
type reader struct {
	store.Store
	key    string
	broken error
	reads  int
}

func (r *reader) Get(ctx context.Context, key string) (io.ReadCloser, error) {
	if key == r.key {
		if r.reads++; r.broken != nil {
			return nil, r.broken
		}
	}
	return r.Store.Get(ctx, key)
}

// TestRunsOnce checks that the process of an attempt that has committed a result is not started again in a pod, and that an
// attempt on this machine doesn't look for such a result.
func TestRunsOnce(t *testing.T) {
	for what, pod := range map[string]bool{"pod": true, "machine": false} {
		t.Run(what, func(t *testing.T) {
			x := sh(t, "exit 4")
			x.spec.Segments = pod
			r := &reader{Store: x.store, key: x.spec.ResultKey()}
			x.deps.Store = r
			first := x.run()
			if want := map[bool]int{true: 1, false: 0}[pod]; r.reads != want {
				t.Errorf("the result was read %d times, expected %d", r.reads, want)
			}
			if err := os.RemoveAll(x.spec.Root); err != nil {
				t.Fatal(err)
			}
			mark := filepath.Join(t.TempDir(), "mark")
			x.spec.Program.Command = command("touch", mark)
			if again := x.run(); again.ExitCode == nil || *again.ExitCode != 4 || !again.StartedAt.Equal(first.StartedAt) {
				t.Errorf("the result is %+v, expected that of the first process", again)
			}
			if _, err := os.Stat(mark); os.IsNotExist(err) != pod {
				t.Errorf("the second process left a mark: %v", err)
			}
		})
	}
}

// TestUnknownWhetherCommitted checks that no process is started if the store does not answer whether there is a result.
func TestUnknownWhetherCommitted(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	x := newTrial(t, "touch", mark)
	x.spec.Segments = true
	x.deps.Store = &reader{Store: x.store, key: x.spec.ResultKey(), broken: errors.New("no answer")}
	r, err := step.Run(t.Context(), x.spec, x.deps)
	if err != nil || r.Class != record.ClassInfrastructure || r.Reason != record.ReasonStore {
		t.Errorf("the attempt ended %+v, %v", r, err)
	}
	if _, err := os.Stat(mark); !os.IsNotExist(err) {
		t.Errorf("the process was started: %v", err)
	}
}
