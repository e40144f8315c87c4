package runs

import (
	"context"
	"os"
	"strings"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// lastWindow is how many bytes of the end of a log are read for its last lines.
const lastWindow = 256 << 10

// LastLines returns up to n last lines of an attempt's log. It reads only the end of the log.
func (r *Reader) LastLines(ctx context.Context, run *record.Run, name string, attempt, n int) ([]string, error) {
	var lines []string
	t, err := r.newTail(run, LogOptions{}, func(e record.Event) error {
		if lines = append(lines, e.Text); len(lines) > n {
			lines = lines[1:]
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	id := record.AttemptID{Step: name, Attempt: attempt}
	if t.r.window() > 1 && !t.here(id) {
		err := t.lastStored(ctx, id, n)
		return lines, err
	}
	size, err := t.size(ctx, id)
	if err != nil {
		return nil, err
	}
	cut := size > lastWindow
	if cut {
		t.cursorAt(id, size-lastWindow)
	}
	err = t.finish(ctx, id)
	if cut && len(lines) > 1 && len(lines) < n {
		lines = lines[1:] // incomplete
	} else if cut && len(lines) == 1 { // between characters
		lines[0] = strings.TrimLeftFunc(lines[0], func(r rune) bool { return r == utf8.RuneError })
	}
	return lines, err
}

// size returns the current size of a log.
func (t *tail) size(ctx context.Context, id record.AttemptID) (int64, error) {
	if info, err := os.Stat(t.work.LogFile(id.Step, id.Attempt)); err == nil && t.run.Namespace == Namespace {
		return info.Size(), nil
	}
	total := int64(0)
	for segment := 0; ; segment++ {
		info, err := t.r.store.Stat(ctx, step.LogKey(t.run.AttemptDir(id.Step, id.Attempt), segment))
		if isNotExist(err) {
			return total, nil
		}
		if err != nil {
			return 0, err
		}
		total += info.Size
	}
}
