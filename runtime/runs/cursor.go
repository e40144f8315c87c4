package runs

import (
	"context"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/record"
)

// One returns the options for one attempt of a step.
func (o LogOptions) One(step string, attempt int) LogOptions {
	o.Steps, o.Attempt, o.Follow = []string{step}, attempt, false
	return o
}

// cursor is the position up to which a log was read.
type cursor struct {
	offset  int64 // up to which the log was read
	line    int64 // of the next line
	partial bool  // the next line is only a part of one, and is left out
	old     bool  // all lines of the log are too old
	split   lines.Splitter

	times record.LogTimes
	last  time.Time // for lines that times does not cover; zero: times covers all
	known int64     // up to which times is valid; negative: to the end
}

// time returns when the next line was written. now: it may be written right now.
func (c *cursor) time(now bool) time.Time {
	if c.known >= 0 && c.line >= c.known {
		if now {
			return time.Now().UTC().Round(0)
		}
		return c.last
	}
	if at := c.times.At(c.line); !at.IsZero() {
		return at
	}
	return c.last
}

// cursor returns the cursor of a log. A new one starts at the beginning.
func (t *tail) cursor(id record.AttemptID) *cursor {
	c := t.at[id]
	if c == nil {
		c = t.cursorAt(id, 0)
	}
	return c
}

// cursorAt sets and returns a cursor that starts at an offset.
func (t *tail) cursorAt(id record.AttemptID, offset int64) *cursor {
	c := &cursor{offset: offset, line: offset, known: -1}
	c.split.Emit = func(l lines.Line) error { return t.line(id, c, l) }
	t.at[id] = c
	return c
}

// begin returns the cursor of a log. A new one starts at the first line that the options select.
func (t *tail) begin(ctx context.Context, id record.AttemptID) (*cursor, error) {
	if c := t.at[id]; c != nil {
		return c, nil
	}
	c := t.cursorAt(id, 0)
	if t.o.timed() {
		if err := t.findTimes(ctx, id, c); err != nil {
			return nil, err
		}
		if from := c.times.From(t.o.Since); from > 0 {
			c.offset, c.line, c.partial = from-1, from-1, true // the first line ends before, or has begun before
		}
	}
	if t.o.Tailed && !t.live {
		from, err := t.lastLines(ctx, id, t.o.Tail)
		if err != nil {
			return nil, err
		}
		if from > c.offset {
			c.offset, c.line, c.partial = from, from, false
		}
	}
	return c, nil
}

// findTimes reads when the lines of a log were written.
func (t *tail) findTimes(ctx context.Context, id record.AttemptID, c *cursor) error {
	result, read := t.ended[id]
	if !read {
		var err error
		if result, err = history.Result(ctx, t.r.store, t.run, id); err != nil {
			return err
		}
	}
	if result != nil {
		c.times, c.last = record.ParseLogTimes(result.Log.Times), result.EndedAt
		c.old = !t.o.Since.IsZero() && result.EndedAt.Before(t.o.Since)
		return nil
	}
	if t.run.Namespace != Namespace {
		return nil
	}
	data, err := os.ReadFile(step.TimesFile(t.work.Attempt(id.Step, id.Attempt)))
	if err == nil {
		c.times = record.ParseLogTimes(string(data))
	}
	if info, err := os.Stat(t.work.LogFile(id.Step, id.Attempt)); err == nil {
		c.last, c.known = info.ModTime().UTC(), info.Size()
	} else {
		c.known = 0
	}
	return nil
}

// readEnds reads the results of attempts from a remote store, some at the same time, and keeps what findTimes needs.
func (t *tail) readEnds(ctx context.Context, ids []record.AttemptID) error {
	found := make([]*record.Result, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(t.r.window())
	for i, id := range ids {
		g.Go(func() error {
			result, err := history.Result(ctx, t.r.store, t.run, id)
			if result != nil {
				found[i] = &record.Result{Log: result.Log, EndedAt: result.EndedAt}
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	t.ended = make(map[record.AttemptID]*record.Result, len(ids))
	for i, id := range ids {
		t.ended[id] = found[i]
	}
	return nil
}
