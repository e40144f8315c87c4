package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/schema/paths"
)

const logsLong = `Prints the logs of a run: of all steps, or of the named ones, as lines "step | text". The lines of a single step are printed
as the step wrote them. With --follow the command waits for more lines until the run has ended. Without a name, the latest
run.

STEP is the address of a step, which includes its instances, rounds and inner steps. 'fan[0]' is one instance of a step with
for_each, and 'fan[*]' stands for all.

A line that a program overwrites, such as a progress bar, is printed in its last state. While it changes, --follow prints
its state at most once a second.

--since, --timestamps and JSON need the time of each line. For a step that has ended, the times are accurate to about a
hundredth of the time that it has been writing.

--tail limits the log of each attempt. The other filters are applied to the lines that it leaves. The filters are regular
expressions. A line is printed if it matches one --include and all --grep, and no --exclude. A terminal shows what --grep
matches in another color.

On a cluster, the lines of pods that still exist come from these pods, and all other lines from the artifact store.`

const logsExamples = `  # The lines of the latest run, and those that follow
  pipec logs -f

  # The last 20 lines of two steps, with times
  pipec logs nightly-7c2a train evaluate --tail 20 --timestamps

  # Errors of the last ten minutes in all instances of a step
  pipec logs latest 'score[*]' --since 10m --grep '(?i)error'

  # Only the loss, with the name of the step
  pipec logs latest train --include '^loss' --template '{{.Step}} {{.Text}}'`

// logsFlags are the flags of logs.
type logsFlags struct {
	request                orchestrator.LogsRequest
	out                    outputFlag
	template, sinceT       string
	since                  ageFlag
	tail                   int
	timestamps             bool
	include, exclude, grep []string
}

func logsCommand(c *cli) *cobra.Command {
	var l logsFlags
	cmd := &cobra.Command{
		Use:               "logs [RUN [STEP]...]",
		Short:             "Print or follow the logs of a run",
		Long:              logsLong,
		Example:           logsExamples,
		ValidArgsFunction: c.completeRunSteps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := l.fill(args); err != nil {
				return err
			}
			return c.logs(cmd.Context(), &l)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&l.request.Follow, "follow", "f", false, "wait for more lines until the run has ended")
	f.StringArrayVar(&l.request.Steps, "step", nil, "print this step only; may be repeated")
	f.IntVar(&l.request.Attempt, "attempt", 0, "print this attempt only; 0: all attempts")
	f.StringVar(&l.request.Pipeline, "pipeline", "", "the pipeline of the run")
	f.Var(&l.since, "since", "print lines that are newer than a duration, such as 5s, 3h or 2d")
	f.StringVar(&l.sinceT, "since-time", "", "print lines from a time on, such as 2026-03-01T12:00:00Z")
	f.IntVar(&l.tail, "tail", -1, "print only so many last lines of the log of each attempt; -1: all lines")
	f.BoolVarP(&l.timestamps, "timestamps", "t", false, "print the time of each line")
	f.StringArrayVarP(&l.include, "include", "i", nil, "print lines that match a `REGEXP`; may be repeated")
	f.StringArrayVarP(&l.exclude, "exclude", "e", nil, "do not print lines that match a `REGEXP`; may be repeated")
	f.StringArrayVar(&l.grep, "grep", nil, "print lines that match a `REGEXP`, and highlight the matches; may be repeated")
	f.StringVar(&l.template, "template", "", "print lines as a Go `TEMPLATE` of .Time, .Run, .Step, .Attempt and .Text, with the functions json and color")
	l.out.addStream(cmd, "each line", "the steps that have lines")
	cmd.MarkFlagsMutuallyExclusive("since", "since-time")
	cmd.MarkFlagsMutuallyExclusive("template", "output")
	return cmd
}

// fill completes the request.
func (l *logsFlags) fill(args []string) error {
	r := &l.request
	if len(args) > 1 {
		r.Steps = append(r.Steps, args[1:]...)
	}
	for i, step := range r.Steps {
		r.Steps[i] = paths.Form(step)
	}
	if err := l.out.check(); err != nil {
		return err
	}
	switch {
	case r.Attempt < 0:
		return usage("--attempt must be 1 or more")
	case l.tail < -1:
		return usage("--tail must be 0 or more, or -1 for all lines")
	case l.since > 0:
		r.Since = time.Now().Add(-time.Duration(l.since))
	case l.sinceT != "":
		at, err := time.Parse(time.RFC3339, l.sinceT)
		if err != nil {
			return usage("--since-time: expected a time such as 2026-03-01T12:00:00Z, found %q", l.sinceT)
		}
		r.Since = at
	}
	if l.tail >= 0 {
		r.Tailed, r.Tail = true, l.tail
	}
	r.Name, r.Times = first(args), l.timestamps || l.out.data() || l.template != ""
	return nil
}

func (c *cli) logs(ctx context.Context, l *logsFlags) error {
	w := bufio.NewWriter(c.stdout)
	p, err := newLinePrinter(c.terminal, w, l)
	if err != nil {
		return err
	}
	runs, err := c.open().Runs()
	if err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	r := &l.request
	p.find = func(run string) *sources { return c.recordedSources(ctx, run) }
	r.Line, r.Observe = p.print, c.waits
	err = runs.Logs(ctx, r)
	if flushErr := w.Flush(); err == nil {
		err = fault.Env(flushErr)
	}
	if errors.Is(err, syscall.EPIPE) { // the reader of stdout has seen enough
		return nil
	}
	if err == nil && !p.printed && len(r.Steps) == 0 {
		return c.noteTaken(ctx, l)
	}
	return err
}

// noteTaken states where the lines of steps are whose results come from another run, because the log of the run itself is empty.
func (c *cli) noteTaken(ctx context.Context, l *logsFlags) error {
	return c.withRecords(ctx, func(r *records.Records) error {
		d, err := r.Show(ctx, l.request.Pipeline, l.request.Name)
		if err != nil {
			return err
		}
		for i := range d.Steps {
			if s := &d.Steps[i]; s.Run != "" && s.Run != d.Run.Name {
				_, err := fmt.Fprintf(c.stderr, "No lines of its own: steps of run %s have results of other runs. `pipec logs %[1]s STEP` prints the lines of the step there.\n", d.Run.Name)
				return fault.Env(err)
			}
		}
		return nil
	})
}

// recordedSources returns the sources of the program of a run. If it can't be read, paths stay as they are.
func (c *cli) recordedSources(ctx context.Context, run string) *sources {
	out := c.sources(nil)
	_ = c.withRecords(ctx, func(r *records.Records) error {
		p, err := r.Program(ctx, run)
		if err == nil {
			out = c.sources(p)
		}
		return err
	})
	return out
}
