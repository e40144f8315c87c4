package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/runtime/shell"
	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// showOptions say how a run is shown while it runs.
type showOptions struct{ output, order string }

func (o *showOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text, or json: each event as a line")
	cmd.Flags().StringVar(&o.order, "log-order", "time", "lines of the log as they come (time), or grouped by step (step)")
}

func (o *showOptions) check() error {
	switch {
	case o.output != "" && o.output != "text" && o.output != "json":
		return usage("there is no output %q: text or json", o.output)
	case o.order != "" && o.order != "time" && o.order != "step":
		return usage("there is no log order %q: time or step", o.order)
	}
	return nil
}

// shown says whose run is shown.
type shown struct {
	project  string
	stack    *program.Stack
	detached bool // it goes on without who shows it
}

// viewer shows a run as the flags say: a tree on a terminal, lines elsewhere, or events.
func (a *app) viewer(p *program.Program, o shown, show showOptions) view.View {
	if show.output == "json" {
		return view.NewJSON(a.stdout)
	}
	vo := view.Options{Out: a.stdout, Talk: a.stderr, Color: a.color(), Safe: a.terminal, Interactive: true, Detached: o.detached, Flags: a.sharedFlags()}
	for _, s := range p.Ordered() {
		vo.Steps = append(vo.Steps, s.Name)
	}
	if show.order == "step" {
		l := &stepLines{project: o.project, stack: o.stack}
		vo.ByStep, vo.Lines = true, l.lines
		return &named{View: view.NewPlain(vo), lines: l}
	}
	if a.terminal && isTerminal(a.stderr) && a.getenv("TERM") != "dumb" {
		return view.NewTree(vo, a.size)
	}
	return view.NewPlain(vo)
}

// sharedFlags are the flags with which another command finds the same project and stack.
func (a *app) sharedFlags() string {
	out := ""
	if a.dir != "." {
		out += " -C " + shell.Word(a.dir)
	}
	if a.stack != "" {
		out += " --stack " + shell.Word(a.stack)
	}
	return out
}

// stepLines reads the log of a step of the run that is shown.
type stepLines struct {
	project string
	stack   *program.Stack
	run     string
}

func (l *stepLines) lines(step string, line func(string)) error {
	ctx := context.Background()
	reader, err := runs.Open(l.project, l.stack)
	if err != nil {
		return err
	}
	defer reader.Close()
	run, err := reader.Resolve(ctx, "", l.run)
	if err != nil {
		return err
	}
	return reader.Logs(ctx, run, runs.LogOptions{Step: step}, func(e record.Event) error {
		line(e.Text)
		return nil
	})
}

// named learns the run's name from its events.
type named struct {
	view.View
	lines *stepLines
}

func (n *named) Event(e record.Event) {
	if n.lines.run == "" {
		n.lines.run = e.Run
	}
	n.View.Event(e)
}

// showOutputs prints the outputs of a run that has ended.
func (a *app) showOutputs(end *record.End) error {
	if end == nil || len(end.Outputs) == 0 {
		return nil
	}
	for i := range end.Outputs {
		if _, err := fmt.Fprintln(a.stdout, view.Datum(&end.Outputs[i])); err != nil {
			return err
		}
	}
	return nil
}

// textOrJSON refuses every other --output.
func textOrJSON(output string) error {
	if output != "text" && output != "json" {
		return usage("there is no output %q: text or json", output)
	}
	return nil
}

func oneLine(s string) string { return diag.Printable(strings.Join(strings.Fields(s), " ")) }

func shorten(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
