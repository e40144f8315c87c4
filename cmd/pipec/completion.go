package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// completer completes a flag or an argument.
type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completions registers the completions of the flags of a command and of the commands below it. A flag of one name has the same
// values in all commands, except for those that completionOf knows by command.
func (c *cli) completions(cmd *cobra.Command) {
	register := func(f *pflag.Flag) {
		if complete := c.completionOf(cmd, f); complete != nil {
			if _, ok := cmd.GetFlagCompletionFunc(f.Name); !ok {
				_ = cmd.RegisterFlagCompletionFunc(f.Name, complete)
			}
		}
	}
	cmd.Flags().VisitAll(register)
	cmd.PersistentFlags().VisitAll(register)
	for _, below := range cmd.Commands() {
		c.completions(below)
	}
}

func (c *cli) completionOf(cmd *cobra.Command, f *pflag.Flag) completer {
	switch f.Name {
	case "stack":
		return c.completeStacks
	case "pipeline":
		return c.completePipelines
	case "param":
		return c.completeParams
	case "step":
		if cmd.Name() == "run" {
			return c.completeSteps
		}
		return c.completeStepsOfRun
	case "from":
		switch cmd.Name() {
		case "rerun":
			return c.completeStepsOfRun
		case "init":
			return nil // a file
		}
		return fixed()
	case "format":
		if cmd.Name() == "graph" {
			return fixed(graphFormats()...)
		}
		return fixed(formatNames()...)
	case "level":
		return completeLevels
	case "only":
		return completeCodes
	case "minimum-failure-severity":
		return fixed(string(diag.Error), string(diag.Warning), string(diag.Note))
	case "to":
		switch cmd.Name() {
		case "convert":
			return fixed("hcl", "yaml")
		case "get":
			return nil // a path
		}
		return fixed()
	case "template":
		switch cmd.Name() {
		case "init":
			return fixed(templates()...)
		case "up":
			return nil // a file
		}
		return fixed()
	case "log-order":
		return fixed("time", "step")
	case "var":
		return c.completeVariables
	case "target":
		return c.completeTargets
	case "columns":
		return c.completeColumns
	case "schedule":
		return c.completeSchedules
	case "for":
		return c.completeConditions
	case "attempt", "exclude", "filter", "grep", "include", "name", "older-than", "parallel", "reason", "scheduled-at", "since", "since-time", "tail",
		"timeout", "value", "context", "limit", "port", "upgrade", "confirm-data", "secret":
		return fixed() // what a user invents: no files
	}
	return nil
}

func fixed(values ...string) completer {
	return cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)
}

// completeParams completes NAME= of the params of the pipeline, and the values of bools.
func (c *cli) completeParams(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	p := c.programOf(cmd, args)
	if p == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	name, value, ok := strings.Cut(word, "=")
	if ok && strings.HasPrefix(value, record.FromFile) {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var out []string
	for i := range p.Params {
		q := &p.Params[i]
		switch {
		case !ok:
			out = append(out, q.Name+"=\t"+strings.TrimSpace(q.Type+" "+oneLine(q.Doc)))
		case q.Name != name:
		case len(q.Enum) > 0:
			for _, v := range q.Enum {
				out = append(out, name+"="+paramText(v))
			}
		case q.Type == "bool":
			out = append(out, name+"=true", name+"=false")
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// paramText returns the value of a param as --param takes it: a string without its quotes.
func paramText(v json.RawMessage) string {
	var s string
	if json.Unmarshal(v, &s) == nil {
		return s
	}
	return string(v)
}

// programOf returns the program that a command is about: of the pipeline that the arguments name, or of the run that they
// name. nil: it is not known.
func (c *cli) programOf(cmd *cobra.Command, args []string) *program.Program {
	r := c.compiled()
	if r == nil {
		return nil
	}
	name := first(args)
	if cmd.Name() == "rerun" {
		run := name
		_ = c.withRecords(cmd.Context(), func(r *records.Records) error {
			d, err := r.Show(cmd.Context(), "", run)
			if err == nil {
				name = d.Run.Pipeline
			}
			return err
		})
	}
	p, err := r.Pipeline(name)
	if err != nil {
		return nil
	}
	return p
}

// completeSteps completes the addresses of the steps of a pipeline, with those of the pipelines that it calls.
func (c *cli) completeSteps(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	var out []string
	if p := c.programOf(cmd, args); p != nil {
		out = addresses(p, p.All(), "", strings.Count(word, "."))
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeSchedules completes the names of the schedules of a pipeline.
func (c *cli) completeSchedules(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	if p := c.programOf(cmd, args); p != nil {
		for i := range p.Schedules {
			if name := p.Schedules[i].Name; name != "" {
				out = append(out, name)
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeImages completes the names of the image blocks that the pipelines use.
func (c *cli) completeImages(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	if r := c.compiled(); r != nil {
		all, _ := r.Pipelines(nil)
		for _, p := range all {
			for i := range p.Images {
				out = append(out, p.Images[i].Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out), cobra.ShellCompDirectiveNoFileComp
}

// addresses returns the addresses of steps, and of those that they call down to a depth.
func addresses(p *program.Program, steps []*program.Step, prefix string, depth int) []string {
	var out []string
	for _, s := range steps {
		out = append(out, prefix+s.Name)
		if s.Call == nil || depth == 0 || len(out) > maxCompletions {
			continue
		}
		if called := p.CalledNamed(s.Call.Pipeline); called != nil {
			var inner []*program.Step
			for i := range called.Steps {
				inner = append(inner, &called.Steps[i])
			}
			out = append(out, addresses(p, inner, prefix+s.Name+".", depth-1)...)
		}
	}
	return out
}

// completeStepsOfRun completes the addresses of the steps of the run that the arguments name.
func (c *cli) completeStepsOfRun(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	_ = c.withRecords(cmd.Context(), func(r *records.Records) error {
		d, err := r.Show(cmd.Context(), "", first(args))
		if err != nil {
			return err
		}
		for i := range d.Steps {
			out = append(out, d.Steps[i].Name)
		}
		return nil
	})
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeLevels completes CODE=LEVEL.
func completeLevels(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	code, _, ok := strings.Cut(word, "=")
	var out []string
	if !ok {
		for _, code := range lint.Codes() {
			out = append(out, code+"=")
		}
		return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	for _, level := range lint.LevelNames {
		out = append(out, code+"="+level)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeCodes completes a list of lint codes with commas between them.
func completeCodes(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	before := ""
	if i := strings.LastIndexByte(word, ','); i >= 0 {
		before = word[:i+1]
	}
	given := strings.Split(before, ",")
	var out []string
	for _, code := range lint.Codes() {
		if !slices.Contains(given, code) {
			out = append(out, before+code)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
