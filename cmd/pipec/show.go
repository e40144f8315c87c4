package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// showOptions say how a run is shown while it runs.
type showOptions struct{ output, order string }

func (o *showOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "text, or json: each event as a line")
	cmd.Flags().StringVar(&o.order, "log-order", "time", "lines of the log as they come (time), or grouped by step (step)")
}

func (o *showOptions) check() error {
	switch {
	case o.output != "text" && o.output != "json":
		return usage("there is no output %q: text or json", o.output)
	case o.order != "time" && o.order != "step":
		return usage("there is no log order %q: time or step", o.order)
	}
	return nil
}

type tmpView struct{ a *app }

func (v tmpView) Observe(e record.Event) {
	if e.Type == record.StepLog {
		fmt.Fprintf(v.a.stdout, "%s | %s\n", e.Step, e.Text)
		return
	}
	b, _ := json.Marshal(e)
	fmt.Fprintln(v.a.stderr, string(b))
}

func (v tmpView) Close(r *record.Run, e *record.End) error { return v.a.showOutputs(e) }

func (a *app) viewer(p *program.Program, o showOptions) tmpView { return tmpView{a} }

// showOutputs prints the outputs of a run that has ended.
func (a *app) showOutputs(end *record.End) error {
	if end == nil || len(end.Outputs) == 0 {
		return nil
	}
	for i := range end.Outputs {
		if _, err := fmt.Fprintf(a.stdout, "%s = %s\n", end.Outputs[i].Name, datumText(&end.Outputs[i])); err != nil {
			return err
		}
	}
	return nil
}

// datumText is a value as the language writes it, or what is known of an artifact.
func datumText(d *record.Datum) string {
	if d.Artifact != nil {
		return fmt.Sprintf("%s, %d bytes, %s", d.Type, d.Artifact.Size, d.Artifact.Digest)
	}
	t, err := types.ParseString(d.Type)
	if err == nil {
		if v, err := types.FromJSON(d.Value, t); err == nil {
			return types.Literal(v)
		}
	}
	return string(d.Value)
}

func oneLine(s string) string { return diag.Printable(strings.Join(strings.Fields(s), " ")) }

func shorten(s string, limit int) string {
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }
