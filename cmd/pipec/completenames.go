package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/records"
	"pipec.dev/pipec/runtime/cluster/connect"
)

// contexts returns the contexts of the kubeconfig.
func (c *cli) contexts() []string { return connect.Contexts(c.env) }

// completeVariables completes NAME= of the variables of the project, and the values of a variable that is a bool or the context of
// a stack.
func (c *cli) completeVariables(_ *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	r := c.compiled()
	if r == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	name, _, ok := strings.Cut(word, "=")
	var out []string
	for _, v := range r.Variables() {
		switch {
		case !ok:
			out = append(out, v.Name+"=\t"+strings.TrimSpace(v.Type+" "+oneLine(v.Doc)))
		case v.Name != name:
		case slices.Contains(v.Uses, "context"):
			out = append(out, prefixed(name+"=", c.contexts())...)
		case v.Type == "bool":
			out = append(out, name+"=true", name+"=false")
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeTargets completes the targets of emit.
func (c *cli) completeTargets(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return c.tables.Targets.Supported(), cobra.ShellCompDirectiveNoFileComp
}

// completeColumns completes a list of columns of runs with commas between them.
func (c *cli) completeColumns(cmd *cobra.Command, _ []string, word string) ([]string, cobra.ShellCompDirective) {
	before := ""
	if i := strings.LastIndexByte(word, ','); i >= 0 {
		before = word[:i+1]
	}
	columns := columnNames()
	if r := c.compiled(); r != nil {
		for _, p := range r.Programs {
			for i := range p.Params {
				columns = append(columns, "param."+p.Params[i].Name)
			}
			for i := range p.Outputs {
				columns = append(columns, "output."+p.Outputs[i].Name)
			}
		}
	}
	slices.Sort(columns)
	given := strings.Split(before, ",")
	columns = slices.DeleteFunc(slices.Compact(columns), func(name string) bool { return slices.Contains(given, name) })
	return prefixed(before, columns), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

// completeConditions completes the conditions of wait, with the steps of the run.
func (c *cli) completeConditions(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	none := cobra.ShellCompDirectiveNoFileComp
	rest, step := strings.CutPrefix(word, "step=")
	switch at := strings.LastIndexByte(rest, '='); {
	case strings.HasPrefix(word, "status="):
		return prefixed("status=", runStatuses), none
	case !step:
		return []string{"end", "status=", "step="}, none | cobra.ShellCompDirectiveNoSpace
	case at >= 0 && !strings.HasSuffix(rest, "]"):
		return prefixed("step="+rest[:at+1], append([]string{"waiting"}, records.StepStatuses()...)), none
	}
	steps, directive := c.completeStepsOfRun(cmd, args, rest)
	return prefixed("step=", steps), directive
}

// completeStepOrRun completes the steps of the latest run and the names of runs, and after a run its steps.
func (c *cli) completeStepOrRun(cmd *cobra.Command, args []string, word string) ([]string, cobra.ShellCompDirective) {
	steps, directive := c.completeStepsOfRun(cmd, args, word)
	if len(args) > 0 {
		return steps, directive
	}
	names, directive := c.completeRuns(cmd, args, word)
	return append(steps, names...), directive
}

// prefixed puts a prefix before each text.
func prefixed(prefix string, texts []string) []string {
	out := make([]string, len(texts))
	for i, text := range texts {
		out[i] = prefix + text
	}
	return out
}
