// Package view shows a run to who started it or follows it: as lines (Plain), as a tree that is redrawn on a terminal
// (Tree), or as NDJSON (JSON). Each takes the run's events in order; at the end Plain and Tree say how it ended, what it
// gave, and what failed.
//
// It knows events and nothing of what makes them: it starts nothing and reads no store. What is the run's product (logs,
// outputs) goes to Options.Out, what is said about it to Options.Talk.
package view

import (
	"io"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// View shows a run. Event is for one caller at a time.
type View interface {
	// Event takes what happened.
	Event(record.Event)
	// Close shows what is left to show, and says how the run ended, where it has. The error is the first one of writing.
	Close() error
}

// Options are what all views have in common.
type Options struct {
	Out  io.Writer // logs, outputs
	Talk io.Writer // what happens
	// Color allows colours.
	Color bool
	// Safe makes escapes and control characters of what steps write harmless: for terminals. Tree always does.
	Safe bool
	// ByStep keeps the lines of a step together: they are shown when it has ended, as Lines gives them.
	ByStep bool
	// Lines gives the log of a step that has ended, all its attempts; needed for ByStep.
	Lines func(step string, line func(text string)) error
	Now   func() time.Time // nil: time.Now
	// Steps are the names of the run's steps in the order in which Tree shows them.
	Steps []string
	// Flags are put behind the commands that are proposed at the end, such as " -C dir".
	Flags string
	// Interactive says that a Ctrl-C reaches who drives the run, so that a second one can be offered.
	Interactive bool
	// Detached says that the run goes on without who shows it: a second Ctrl-C leaves it.
	Detached bool
}

func (o *Options) now() time.Time {
	if o.Now != nil {
		return o.Now()
	}
	return time.Now()
}

// hint is a command that is proposed.
func (o *Options) hint(command, run string) string { return "pipec " + command + " " + run + o.Flags }

// sink writes until the first error, and keeps that.
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

// JSON shows a run as NDJSON of its events.
type JSON struct{ out sink }

// NewJSON writes events to w.
func NewJSON(w io.Writer) *JSON { return &JSON{sink{w: w}} }

// Event writes it as one line.
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

// Close has nothing left to show.
func (j *JSON) Close() error { return j.out.err }
