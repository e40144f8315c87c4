package runs

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"
	"strings"

	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// LogOptions say which logs.
type LogOptions struct {
	Step    string // and of all that is beneath it; "": of all steps, in the order in which they started
	Attempt int    // 0: all attempts
	Follow  bool   // until the run ends, or ctx does
}

// Logs gives the lines of a run's logs, as events of the type log, without a time: logs keep none. They come from the
// store, and while an attempt runs from where it works. Steps whose result is of another run give that one's log, where
// they are asked for by name.
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

// Wants says whether a step's log is among them.
func (o *LogOptions) Wants(address string) bool {
	return o.Step == "" || record.Address(address).Under(record.Address(o.Step))
}

// HasStep says whether a program has the step of an address. Whether that has such an instance is known in the run.
func HasStep(p *program.Program, address string) bool {
	return slices.ContainsFunc(p.All(), func(s *program.Step) bool {
		return s.Name == address || s.Composite() && s.Name == record.Address(address).Root()
	})
}

// NoStepError says that a run has no step of that name.
type NoStepError struct{ Run, Step string }

func (e *NoStepError) Error() string { return "run " + e.Run + " has no step \"" + e.Step + "\"" }

// logID names an attempt, and so its log.
type logID struct {
	step    string
	attempt int
}

// tail gives what is new of each log.
type tail struct {
	r    *Reader
	run  *record.Run
	o    LogOptions
	work work.Run
	emit func(record.Event) error
	at   map[logID]*cursor
}

// cursor is how far a log was given.
type cursor struct {
	offset int64
	part   []byte // a line that has no end yet
}

func (t *tail) cursor(id logID) *cursor {
	c := t.at[id]
	if c == nil {
		c = &cursor{}
		t.at[id] = c
	}
	return c
}

// maxLine is where longer lines are cut into pieces.
const maxLine = 64 << 10

func (r *Reader) newTail(run *record.Run, o LogOptions, emit func(record.Event) error) (*tail, error) {
	w, err := r.work.Run(run.Name)
	if err != nil {
		return nil, err
	}
	return &tail{r: r, run: run, o: o, work: w, emit: emit, at: map[logID]*cursor{}}, nil
}

func (t *tail) wanted(id logID) bool {
	return t.o.Wants(id.step) && (t.o.Attempt == 0 || t.o.Attempt == id.attempt)
}

// all gives the rest of all logs, step by step.
func (t *tail) all(ctx context.Context) error {
	detail, err := t.r.Show(ctx, t.run)
	if err != nil {
		return err
	}
	steps := slices.Clone(detail.Steps)
	var ids []logID
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
				return t.elsewhere(ctx, s)
			}
			continue
		}
		for n := 1; n <= max(s.Attempts, t.last(s.Name)); n++ {
			if id := (logID{s.Name, n}); t.wanted(id) {
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

// last is the number of the last attempt that has a place on this machine.
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

// elsewhere gives the log of the attempt, in another run, whose result the step has.
func (t *tail) elsewhere(ctx context.Context, s *record.StepEnd) error {
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
	return then.finish(ctx, logID{s.Name, max(s.Attempt, 1)})
}

// finish gives the rest of a log, and what is left of a last line without an end.
func (t *tail) finish(ctx context.Context, id logID) error {
	if err := t.pull(ctx, id); err != nil {
		return err
	}
	return t.flush(id)
}

// flush gives what is left of a last line without an end.
func (t *tail) flush(id logID) error {
	c := t.at[id]
	if c == nil || len(c.part) == 0 {
		return nil
	}
	line := string(c.part)
	c.part = nil
	return t.line(id, line)
}

func (t *tail) line(id logID, text string) error {
	return t.emit(record.Event{
		Version: record.Version, Type: record.StepLog, Run: t.run.Name, Step: id.step, Attempt: id.attempt, Text: text,
	})
}

// pull gives what is new of a log: from where the attempt works, else from the store.
func (t *tail) pull(ctx context.Context, id logID) error {
	c := t.cursor(id)
	if t.run.Namespace != Namespace {
		return t.pullStored(ctx, id, c)
	}
	f, err := os.Open(t.work.LogFile(id.step, id.attempt))
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
	return t.read(ctx, id, c, f)
}

// read gives the lines of r, and keeps a last one that has no end.
func (t *tail) read(ctx context.Context, id logID, c *cursor, r io.Reader) error {
	b := bufio.NewReaderSize(r, maxLine)
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		piece, err := b.ReadSlice('\n')
		c.offset += int64(len(piece))
		c.part = append(c.part, piece...)
		ended := len(piece) > 0 && piece[len(piece)-1] == '\n'
		if ended || len(c.part) >= maxLine {
			line := strings.TrimSuffix(strings.TrimSuffix(string(c.part), "\n"), "\r")
			c.part = c.part[:0]
			if err := t.line(id, line); err != nil {
				return err
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
