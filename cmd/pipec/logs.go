package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/record"
)

const logsLong = `Prints the logs of a run: of all steps, as lines "step | text", or of one step, as it wrote them. With --follow the
command waits for more lines until the run has ended. Without a name, the latest run.

A line that a program overwrites, such as a progress bar, is printed in its last state. While it changes, --follow prints
its state at most once a second.

On a cluster, the lines of pods that still exist come from these pods, and all other lines from the artifact store.`

func logsCommand(c *cli) *cobra.Command {
	var r orchestrator.LogsRequest
	var output string
	cmd := &cobra.Command{
		Use:               "logs [RUN [STEP]]",
		Short:             "Print or follow the logs of a run",
		Long:              logsLong,
		Args:              atMost(2),
		ValidArgsFunction: c.completeRuns,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				if r.Step != "" {
					return usage("the step is named twice: %q and --step %q", args[1], r.Step)
				}
				r.Step = args[1]
			}
			if err := textOrJSON(output); err != nil {
				return err
			}
			if r.Attempt < 0 {
				return usage("--attempt must be 1 or more")
			}
			r.Name, r.Step = first(args), paths.Form(r.Step)
			return c.logs(cmd.Context(), &r, output)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&r.Follow, "follow", "f", false, "wait for more lines until the run has ended")
	f.StringVar(&r.Step, "step", "", "print this step only")
	f.IntVar(&r.Attempt, "attempt", 0, "print this attempt only; 0: all attempts")
	f.StringVar(&r.Pipeline, "pipeline", "", "the pipeline of the run")
	f.StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

func (c *cli) logs(ctx context.Context, r *orchestrator.LogsRequest, output string) error {
	runs, err := c.open().Runs()
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	w := bufio.NewWriter(c.stdout)
	r.Line, r.Observe = c.linePrinter(w, r, output), c.waits
	err = runs.Logs(ctx, r)
	if flushErr := w.Flush(); err == nil {
		err = fault.Env(flushErr)
	}
	if errors.Is(err, syscall.EPIPE) { // the reader of stdout has seen enough
		return nil
	}
	return err
}

// linePrinter prints lines. Those of a run that is followed are shown at once.
func (c *cli) linePrinter(w *bufio.Writer, r *orchestrator.LogsRequest, output string) func(record.Event) error {
	enc := json.NewEncoder(w)
	over, open := view.Overwritten{}, record.AttemptID{} // open: the attempt whose long line has not ended
	return func(e record.Event) error {
		var err error
		switch {
		case output == "json":
			err = enc.Encode(e)
		case over.Repeats(&e):
		case r.Step != "":
			id := record.AttemptID{Step: e.Step, Attempt: e.Attempt}
			if open != (record.AttemptID{}) && open != id {
				_, _ = fmt.Fprintln(w)
			}
			if open = id; e.Part != record.PartCut {
				open, e.Text = record.AttemptID{}, e.Text+"\n"
			}
			_, err = w.WriteString(e.Text)
		default:
			_, err = fmt.Fprintf(w, "%s %s\n", c.paint("36", e.Step+" |"), view.Inline(e.Text))
		}
		if err == nil && r.Follow {
			err = w.Flush()
		}
		return err
	}
}
