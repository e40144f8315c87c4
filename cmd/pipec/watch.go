package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// showOptions say how a run is shown while it runs.
type showOptions struct {
	out             outputFlag
	progress, order string
}

// The kinds of progress, as BuildKit names them, and events.
const (
	progressAuto  = "auto"
	progressPlain = "plain"
	progressTTY   = "tty"
	progressJSON  = "json"
)

var progressKinds = []string{progressAuto, progressPlain, progressTTY, progressJSON}

func (o *showOptions) flags(cmd *cobra.Command) {
	o.out.addStream(cmd, "each event", "the name of the run")
	cmd.Flags().StringVar(&o.progress, "progress", progressAuto,
		"how the run is shown: plain (lines), tty (a tree below the lines), json (a line for each event), or auto: tty on a terminal, else plain")
	cmd.Flags().StringVar(&o.order, "log-order", "time", "log lines as they come (time), or grouped by step (step)")
	_ = cmd.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions(progressKinds, cobra.ShellCompDirectiveNoFileComp))
}

func (o *showOptions) check() error {
	if err := o.out.check(); err != nil {
		return err
	}
	switch {
	case o.progress != "" && !slices.Contains(progressKinds, o.progress):
		return usage("there is no progress %q: one of %s", o.progress, strings.Join(progressKinds, ", "))
	case !o.out.text() && o.progress != "" && o.progress != progressAuto && (o.out.format != outJSON || o.progress != progressJSON):
		return usage("--output %s and --progress %s exclude each other", o.out.format, o.progress)
	case o.order != "" && o.order != "time" && o.order != "step":
		return usage("there is no log order %q: time or step", o.order)
	case o.order == "step" && o.progress == progressTTY:
		return usage("--log-order step and --progress tty exclude each other")
	}
	return nil
}

// events reports whether events are printed.
func (o *showOptions) events() bool { return o.out.data() || o.progress == progressJSON }

// watcher shows a run while it is followed.
type watcher struct {
	*cli
	show showOptions
	runs *app.Runs
	view view.View // nil: the run is not followed yet
	run  string    // its name, as its events say it
}

// watch begins to show a run of a program.
func (w *watcher) watch(p *program.Program) func(record.Event) {
	w.view = w.open(p)
	return func(e record.Event) {
		if w.show.out.format == outName && w.run == "" && e.Run != "" {
			fmt.Fprintln(w.stdout, e.Run)
		}
		w.run = e.Run
		w.view.Event(e)
	}
}

// open returns the view that the flags ask for: a tree on a terminal, lines elsewhere, or events.
func (w *watcher) open(p *program.Program) view.View {
	if w.show.events() {
		return view.NewJSON(w.show.out.stream(w.stdout))
	}
	o := view.Options{
		Out: w.stdout, Messages: w.stderr, Color: w.color(), Safe: w.terminal.terminal, Interactive: true,
		Detached: w.runs.Detached, Flags: w.sharedFlags(), Together: w.together(), Source: w.sources(p).line,
	}
	for _, s := range p.Ordered() {
		o.Steps = append(o.Steps, s.Name)
	}
	if w.show.out.format == outName {
		o.Out = io.Discard
		return view.NewPlain(o)
	}
	if w.show.order == "step" {
		o.ByStep, o.Lines = true, w.lines
		return view.NewPlain(o)
	}
	if w.show.progress == progressTTY || w.show.progress != progressPlain && w.terminal.terminal && isTerminal(w.drawErr) && !w.dumb {
		o.Messages = w.drawErr
		return view.NewTree(o, w.size)
	}
	return view.NewPlain(o)
}

// lines reads the log of a step of the run that is shown.
func (w *watcher) lines(step string, line func(record.Event)) error {
	ctx := context.Background()
	r, err := w.runs.Records(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.Lines(ctx, w.run, step, line)
}

// close ends the view. A closed stdout is not an error.
func (w *watcher) close() error {
	if w.view == nil {
		return nil
	}
	if err := w.view.Close(); err != nil && !errors.Is(err, syscall.EPIPE) {
		return fault.Env(err)
	}
	return nil
}
