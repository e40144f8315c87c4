package runs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// LogOptions select logs.
type LogOptions struct {
	Step    string // including its parts; "": all steps, in the order in which they started
	Attempt int    // 0: all attempts
	Follow  bool   // until the run or ctx ends
}

// Logs returns the lines of a run's logs as events of type log. They have no time, because logs contain none. Stored
// logs are read from the store, those of running attempts from their directories. The logs of steps whose result comes
// from another run are read from that run, if the step is selected by name.
func (r *Reader) Logs(ctx context.Context, run *record.Run, o LogOptions, emit func(record.Event) error) error {
	if o.Step != "" {
		p, err := r.Program(ctx, run)
		if err != nil {
			return err
		}
		if !HasStep(p, o.Step) {
			return &NoStepError{Run: run.Name, Step: o.Step}
		}
	}
	t, err := r.newTail(run, o, emit)
	if err != nil {
		return err
	}
	if o.Follow && run.Namespace == Namespace && t.work.Held() {
		if err := t.follow(ctx); err != nil {
			return err
		}
	}
	return t.all(ctx)
}

// Wants reports whether a step's log is selected.
func (o *LogOptions) Wants(address string) bool {
	return o.Step == "" || record.Address(address).Under(record.Address(o.Step))
}

// HasStep reports whether a program has the step of an address. Only the run's records show whether it has the
// instance.
func HasStep(p *program.Program, address string) bool {
	return slices.ContainsFunc(p.All(), func(s *program.Step) bool {
		return s.Name == address || s.Composite() && s.Name == record.Address(address).Root()
	})
}

// NoStepError reports that a run has no step with this name.
type NoStepError struct{ Run, Step string }

func (e *NoStepError) Error() string { return "run " + e.Run + " has no step \"" + e.Step + "\"" }

// tail returns the new lines of each log.
type tail struct {
	r    *Reader
	run  *record.Run
	o    LogOptions
	work work.Run
	emit func(record.Event) error
	at   map[record.AttemptID]*cursor
	buf  []byte // of read
}

// cursor is the position up to which a log was read.
type cursor struct {
	offset int64
	split  lines.Splitter
}

func (t *tail) cursor(id record.AttemptID) *cursor {
	c := t.at[id]
	if c == nil {
		c = t.cursorAt(id, 0)
	}
	return c
}

// cursorAt sets and returns a cursor that starts at an offset.
func (t *tail) cursorAt(id record.AttemptID, offset int64) *cursor {
	c := &cursor{offset: offset}
	c.split.Emit = func(l lines.Line) error { return t.line(id, l) }
	t.at[id] = c
	return c
}

func (r *Reader) newTail(run *record.Run, o LogOptions, emit func(record.Event) error) (*tail, error) {
	w, err := r.work.Run(run.Name)
	if err != nil {
		return nil, err
	}
	return &tail{r: r, run: run, o: o, work: w, emit: emit, at: map[record.AttemptID]*cursor{}}, nil
}

func (t *tail) selected(id record.AttemptID) bool {
	return t.o.Wants(id.Step) && (t.o.Attempt == 0 || t.o.Attempt == id.Attempt)
}

// all returns the remaining lines of all logs, step by step.
func (t *tail) all(ctx context.Context) error {
	detail, err := t.r.Show(ctx, t.run)
	if err != nil {
		return err
	}
	steps := slices.Clone(detail.Steps)
	var ids []record.AttemptID
	sort.SliceStable(steps, func(i, j int) bool { return steps[i].StartedAt.Before(steps[j].StartedAt) })
	found := t.o.Step == ""
	for i := range steps {
		s := &steps[i]
		if !t.o.Wants(s.Name) {
			continue
		}
		found = true
		if s.Run != "" && s.Run != t.run.Name {
			if t.o.Step == s.Name {
				return t.otherRun(ctx, s)
			}
			continue
		}
		for n := 1; n <= max(s.Attempts, t.last(s.Name)); n++ {
			if id := (record.AttemptID{Step: s.Name, Attempt: n}); t.selected(id) {
				ids = append(ids, id)
			}
		}
	}
	if !found && detail.End != nil {
		return &NoStepError{Run: t.run.Name, Step: t.o.Step}
	}
	if t.r.window() > 1 {
		return t.allStored(ctx, ids)
	}
	for _, id := range ids {
		if err := t.finish(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

// last returns the number of the last attempt with a directory on this machine.
func (t *tail) last(step string) int {
	last := 0
	if t.run.Namespace != Namespace {
		return last
	}
	for _, n := range t.work.Attempts(step) {
		last = max(last, n)
	}
	return last
}

// otherRun returns the log of the attempt of another run that produced the step's result.
func (t *tail) otherRun(ctx context.Context, s *record.StepEnd) error {
	other, err := t.r.Read(ctx, t.run.Namespace, t.run.Pipeline, s.Run)
	if isNotExist(err) {
		if other, err = t.r.Resolve(ctx, "", s.Run); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	then, err := t.r.newTail(other, LogOptions{Step: s.Name, Attempt: s.Attempt}, t.emit)
	if err != nil {
		return err
	}
	return then.finish(ctx, record.AttemptID{Step: s.Name, Attempt: max(s.Attempt, 1)})
}

// finish returns the remaining lines of a log, including an incomplete last one.
func (t *tail) finish(ctx context.Context, id record.AttemptID) error {
	if err := t.pull(ctx, id); err != nil {
		return err
	}
	return t.flush(id)
}

// flush returns an incomplete last line.
func (t *tail) flush(id record.AttemptID) error {
	c := t.at[id]
	if c == nil {
		return nil
	}
	return c.split.Flush()
}

func (t *tail) line(id record.AttemptID, l lines.Line) error {
	return t.emit(record.Event{
		Version: record.Version, Type: record.StepLog, Run: t.run.Name, Step: id.Step, Attempt: id.Attempt, Text: string(l.Text), Part: l.Part,
	})
}

// pull returns the new lines of a log: from the attempt's directory, else from the store.
func (t *tail) pull(ctx context.Context, id record.AttemptID) error {
	c := t.cursor(id)
	if t.run.Namespace != Namespace {
		return t.pullStored(ctx, id, c)
	}
	f, err := os.Open(t.work.LogFile(id.Step, id.Attempt))
	if errors.Is(err, fs.ErrNotExist) {
		return t.pullStored(ctx, id, c)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(c.offset, io.SeekStart); err != nil {
		return err
	}
	return t.read(ctx, c, f)
}

// read returns the lines of r, and keeps an incomplete last one.
func (t *tail) read(ctx context.Context, c *cursor, r io.Reader) error {
	if t.buf == nil {
		t.buf = make([]byte, 64<<10)
	}
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		n, err := r.Read(t.buf)
		c.offset += int64(n)
		if _, err := c.split.Write(t.buf[:n]); err != nil {
			return err
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
