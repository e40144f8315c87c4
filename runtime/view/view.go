// Package view shows the progress of a run to its user: as lines (Plain), as a tree that is redrawn on a terminal
// (Tree), or as NDJSON (JSON). Each view receives the run's events in order. At the end, Plain and Tree print how the
// run ended, its outputs, and what failed.
//
// The package knows only events: it starts nothing and reads no store. The run's product (logs, outputs) is written to
// Options.Out, messages about the run to Options.Messages.
package view

import (
	"io"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// View shows a run. Event and Close must not be called concurrently.
type View interface {
	// Event shows an event.
	Event(record.Event)
	// Close shows the rest, and how the run ended if it has. It returns the first error of writing.
	Close() error
}

// Options are the options of all views.
type Options struct {
	Out      io.Writer // logs, outputs
	Messages io.Writer // messages about the run
	// Color enables colors.
	Color bool
	// Safe removes escape sequences and control characters from the output of steps, for terminals. Tree always does.
	// Without it, colors stay, see Inline.
	Safe bool
	// ByStep prints the lines of a step together, from Lines, when the step has ended.
	ByStep bool
	// Lines reads the log of all attempts of a step that has ended. ByStep requires it.
	Lines func(step string, line func(record.Event)) error
	Now   func() time.Time // nil: time.Now
	// Steps are the names of the run's steps, in the order in which Tree shows them.
	Steps []string
	// Flags are appended to suggested commands, for example " -C dir".
	Flags string
	// Interactive is set if a Ctrl-C reaches the driver of the run, so that a second one can be suggested.
	Interactive bool
	// Together is set if Out and Messages are the same file or terminal: lines that were printed are not repeated at the end.
	Together bool
	// Source replaces the paths of a step's unpacked code in a line of its log with those of the project; nil: they stay.
	Source func(run, step string, attempt int, text string) string
	// Detached is set if the run continues without this view: a second Ctrl-C then ends the view only.
	Detached bool
}

func (o *Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// hint returns a suggested command.
func (o *Options) hint(command, run string) string { return "pipec " + command + " " + run + o.Flags }

// source returns the text of a line with the project's paths.
func (o *Options) source(e *record.Event) string {
	if o.Source == nil {
		return e.Text
	}
	return o.Source(e.Run, e.Step, e.Attempt, e.Text)
}

// sink writes until the first error, which it keeps.
type sink struct {
	w   io.Writer
	err error
}

func (s *sink) Write(p []byte) (int, error) {
	if s.err == nil && s.w != nil {
		_, s.err = s.w.Write(p)
	}
	return len(p), nil
}

// JSON writes the events of a run as NDJSON.
type JSON struct{ out sink }

// NewJSON returns a view that writes events to w.
func NewJSON(w io.Writer) *JSON { return &JSON{sink{w: w}} }

// Event writes an event as one line.
func (j *JSON) Event(e record.Event) {
	data, err := store.EncodeJSON(&e)
	if err != nil {
		if j.out.err == nil {
			j.out.err = err
		}
		return
	}
	_, _ = j.out.Write(data)
}

// Close returns the first error of writing.
func (j *JSON) Close() error { return j.out.err }
