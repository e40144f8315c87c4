package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/record"
)

const logsLong = `Prints the logs of a run: of all its steps, as lines "step | text", or of one, as they are. While the run goes
on, --follow waits for more, and ends with it. Without a name, the latest run.

On a cluster the lines of pods that are still there come from them, and all others from the store.`

type logOptions struct {
	runs.LogOptions
	pipeline, output string
}

func (a *app) logsCommand() *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:               "logs [RUN [STEP]]",
		Short:             "Print or follow the logs of a run",
		Long:              logsLong,
		Args:              atMost(2),
		ValidArgsFunction: a.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				if o.Step != "" {
					return usage("the step is named twice: %q and --step %q", args[1], o.Step)
				}
				o.Step = args[1]
			}
			return a.logs(cmd.Context(), first(args), o)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&o.Follow, "follow", "f", false, "wait for more until the run ends")
	f.StringVar(&o.Step, "step", "", "of this step alone")
	f.IntVar(&o.Attempt, "attempt", 0, "of this attempt alone; 0: of all")
	f.StringVar(&o.pipeline, "pipeline", "", "the pipeline whose latest run is meant")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	return cmd
}

func (a *app) logs(ctx context.Context, name string, o logOptions) error {
	switch {
	case o.output != "text" && o.output != "json":
		return usage("there is no output %q: text or json", o.output)
	case o.Attempt < 0:
		return usage("--attempt is a number from 1 on")
	}
	r, err := a.compileStack()
	if err != nil {
		return err
	}
	stack, err := theStack(r)
	if err != nil {
		return err
	}
	if onCluster(stack) {
		return a.remoteLogs(ctx, r, stack, name, o)
	}
	reader, err := a.reader(r)
	if err != nil {
		return err
	}
	defer reader.Close()
	run, err := resolve(ctx, reader, o.pipeline, name)
	if err != nil {
		return err
	}
	return a.printLogs(ctx, o, func(ctx context.Context, print func(record.Event) error) error {
		return reader.Logs(ctx, run, o.LogOptions, print)
	})
}

// printLogs prints the lines that read gives.
func (a *app) printLogs(ctx context.Context, o logOptions, read func(context.Context, func(record.Event) error) error) error {
	ctx, signals := a.onInterrupt(ctx)
	defer signals.stop()
	w := bufio.NewWriter(a.stdout)
	err := read(ctx, a.logPrinter(w, o))
	if flushErr := w.Flush(); err == nil {
		err = flushErr
	}
	var none *runs.NoStepError
	switch {
	case signals.interrupted():
		return said(exitInterrupted)
	case errors.As(err, &none):
		return usage("%v", none)
	case errors.Is(err, syscall.EPIPE): // who read has seen enough
		return nil
	}
	return world(err)
}

// logPrinter writes each line as it comes: who follows wants to see it now.
func (a *app) logPrinter(w *bufio.Writer, o logOptions) func(record.Event) error {
	enc := json.NewEncoder(w)
	return func(e record.Event) error {
		var err error
		switch {
		case o.output == "json":
			err = enc.Encode(e)
		case o.Step != "":
			_, err = fmt.Fprintln(w, e.Text)
		default:
			_, err = fmt.Fprintf(w, "%s %s\n", a.paint("36", e.Step+" |"), e.Text)
		}
		if err == nil && o.Follow {
			err = w.Flush()
		}
		return err
	}
}
