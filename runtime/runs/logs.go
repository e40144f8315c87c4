package runs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/lines"
	"pipec.dev/pipec/runtime/work"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// LogOptions select logs.
type LogOptions struct {
	// Steps are addresses of steps, including their parts, in which [*] stands for any instance. Empty: all steps, in the order
	// in which they started.
	Steps   []string
	Attempt int  // 0: all attempts
	Follow  bool // until the run or ctx ends
	// Tailed limits each log to its last lines, and Tail is how many. A log that begins while it is followed is complete.
	Tailed bool
	Tail   int
	// Since leaves out lines that are known to be older; zero: none.
	Since time.Time
	// Times is set if the events shall have the times at which the lines were written. Without it, no records are read for that.
	Times bool
}

// timed reports whether the times of lines are needed.
func (o *LogOptions) timed() bool { return o.Times || !o.Since.IsZero() }

// Only reports whether the lines of one step are selected, so that lines need no name.
func (o *LogOptions) Only(address string) bool { return len(o.Steps) == 1 && o.Steps[0] == address }

// Logs returns the lines of a run's logs as events of type log. Their times are those that the wrapper of the attempt has
// noted, which are accurate to about a hundredth of the time that the log covers. They are zero if LogOptions doesn't ask for
// them, or they are not known. Stored logs are read from the store, those of running attempts from their directories. The logs of steps
// whose result comes from another run are read from that run, if the step is selected by name.
func (r *Reader) Logs(ctx context.Context, run *record.Run, o LogOptions, emit func(record.Event) error) error {
	if err := r.CheckSteps(ctx, run, o.Steps); err != nil {
		return err
	}
	t, err := r.newTail(run, o, emit)
	if err != nil {
		return err
	}
	if o.Follow && run.Namespace == Namespace && t.work.Held() {
		if err := t.follow(ctx); err != nil {
			return err
		}
		t.live = false
	}
	return t.all(ctx)
}

// Wants reports whether a step's log is selected.
func (o *LogOptions) Wants(address string) bool {
	return len(o.Steps) == 0 || slices.ContainsFunc(o.Steps, func(pattern string) bool { return record.Address(address).Matches(pattern) })
}

// CheckSteps returns a *NoStepError if the run's program has none of the steps that a pattern of LogOptions may select.
func (r *Reader) CheckSteps(ctx context.Context, run *record.Run, patterns []string) error {
	if len(patterns) == 0 {
		return nil
	}
	p, err := r.Program(ctx, run)
	if err != nil {
		return err
	}
	for _, pattern := range patterns {
		if !HasStep(p, pattern) {
			fault := &NoStepError{Run: run.Name, Step: pattern}
			for _, s := range p.All() {
				fault.Have = append(fault.Have, s.Name)
			}
			return fault
		}
	}
	return nil
}

// HasStep reports whether a program has the step of an address. Only the run's records show whether it has the
// instance.
func HasStep(p *program.Program, address string) bool {
	return slices.ContainsFunc(p.All(), func(s *program.Step) bool {
		return s.Name == address || s.Composite() && s.Name == record.Address(address).Root()
	})
}

// NoStepError reports that a run has no step with this name.
type NoStepError struct {
	Run, Step string
	Have      []string // the addresses that it has; nil: not known
}

func (e *NoStepError) Error() string { return "run " + e.Run + " has no step \"" + e.Step + "\"" }

// tail returns the new lines of each log.
type tail struct {
	r     *Reader
	run   *record.Run
	o     LogOptions
	work  work.Run
	emit  func(record.Event) error
	at    map[record.AttemptID]*cursor
	ended map[record.AttemptID]*record.Result // that were read before; nil values: there is none
	live  bool                                // logs that begin now are complete, and lines that are read now are written now
	buf   []byte                              // of read
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
	found := len(t.o.Steps) == 0
	for i := range steps {
		s := &steps[i]
		if !t.o.Wants(s.Name) {
			continue
		}
		found = true
		if s.Run != "" && s.Run != t.run.Name {
			if len(t.o.Steps) > 0 { // it is named, or a part of a named step
				if err := t.otherRun(ctx, s); err != nil {
					return err
				}
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
		return &NoStepError{Run: t.run.Name, Step: strings.Join(t.o.Steps, ", ")}
	}
	if t.r.window() > 1 && !t.o.timed() && !t.o.Tailed {
		return t.allStored(ctx, ids)
	}
	if t.o.timed() && t.r.window() > 1 {
		if err := t.readEnds(ctx, ids); err != nil {
			return err
		}
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
	other, err := t.r.other(ctx, t.run, s.Run)
	if err != nil {
		return err
	}
	o := t.o
	o.Steps, o.Attempt = []string{s.Name}, s.Attempt
	then, err := t.r.newTail(other, o, t.emit)
	if err != nil {
		return err
	}
	return then.finish(ctx, record.AttemptID{Step: s.Name, Attempt: max(s.Attempt, 1)})
}

// other reads the record of another run, whose result a step of a run has. It may be a run of another pipeline.
func (r *Reader) other(ctx context.Context, run *record.Run, name string) (*record.Run, error) {
	other, err := r.Read(ctx, run.Namespace, run.Pipeline, name)
	if isNotExist(err) {
		return r.Resolve(ctx, "", name)
	}
	return other, err
}

// ignoreMissing returns err unless it reports that a run does not exist.
func ignoreMissing(err error) error {
	var none *NotFoundError
	if errors.As(err, &none) {
		return nil
	}
	return err
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

func (t *tail) line(id record.AttemptID, c *cursor, l lines.Line) error {
	at := time.Time{}
	if t.o.timed() {
		at = c.time(t.live)
	}
	c.line += int64(l.Size)
	if c.partial && l.Part != record.PartState {
		c.partial = l.Part == record.PartCut
		return nil
	}
	if !at.IsZero() && at.Before(t.o.Since) {
		return nil
	}
	return t.emit(record.Event{
		Version: record.Version, Type: record.StepLog, Run: t.run.Name, Step: id.Step, Attempt: id.Attempt, Text: string(l.Text), Part: l.Part, At: at,
	})
}

// pull returns the new lines of a log: from the attempt's directory, else from the store.
func (t *tail) pull(ctx context.Context, id record.AttemptID) error {
	c, err := t.begin(ctx, id)
	if err != nil || c.old {
		return err
	}
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
