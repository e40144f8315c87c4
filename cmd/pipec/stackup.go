package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	emitaws "pipec.dev/pipec/emit/aws"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/recipes"
	"pipec.dev/pipec/runtime/aws"
)

const stackUpLong = `Makes what the recipe of the named or the chosen stack describes, or changes it: one CloudFormation stack for the project
and the stack. The command prints what CloudFormation would change, asks for confirmation, and follows the change to its
end. Without a terminal it needs --yes. It changes nothing if everything is up to date.

If you interrupt the command, CloudFormation continues. The same command follows it again. If the first attempt failed,
the command deletes what it left, and starts again.

The outputs are stored in pipec.lock.json, from which the other blocks of the stack read recipe.cluster, recipe.bucket and
recipe.registry. Commit the file. Run the command again when a pipeline is added: its service accounts get their roles here.`

type stackUp struct {
	*cli
	yes      bool
	template string
}

func stackUpCommand(c *cli) *cobra.Command {
	u := stackUp{cli: c}
	cmd := &cobra.Command{
		Use:               "up [NAME]",
		Short:             "Make the infrastructure of a stack",
		Long:              stackUpLong,
		Example:           `  pipec stack up aws`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeStacks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.stack = args[0]
			}
			return u.up(cmd.Context())
		},
	}
	cmd.Flags().BoolVarP(&u.yes, "yes", "y", false, "do not ask for confirmation")
	cmd.Flags().StringVar(&u.template, "template", "", "use the CloudFormation template in `FILE` instead of the recipe's own; it must have the same outputs")
	return cmd
}

func (u *stackUp) up(ctx context.Context) error {
	if !u.yes && !u.canAsk() {
		return usage("stack up asks before it changes anything, and there is no terminal to ask on: give --yes")
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	plan, err := u.recipes().PrepareUp(ctx, u.template, u.event)
	if err != nil {
		return err
	}
	if err := printUp(u.stdout, u.terminal, plan); err != nil {
		return fault.Env(err)
	}
	if !u.yes && !plan.Empty() {
		if err := u.confirm("Make these changes?"); err != nil {
			if bad := plan.Discard(context.WithoutCancel(ctx)); bad != nil {
				return bad
			}
			return err
		}
	}
	outputs, err := plan.Apply(ctx, u.event)
	if err != nil {
		return err
	}
	w := table(u.stdout)
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		fmt.Fprintf(w, "recipe.%s\t%s\n", name, outputs[name])
	}
	return fault.Env(w.Flush())
}

// event prints a step of CloudFormation's work.
func (c *cli) event(e aws.Event) {
	status := e.Status
	switch {
	case e.Failed():
		status = c.paint("31", status)
	case strings.HasSuffix(status, "_COMPLETE"):
		status = c.paint("32", status)
	}
	text := fmt.Sprintf("%s  %s  %s", e.Time.Local().Format("15:04:05"), status, e.Resource)
	if e.Failed() && e.Reason != "" {
		text += ": " + e.Reason
	}
	fmt.Fprintln(c.stderr, text)
}

// marks are those of a plan; replacement and removal are red.
var upMarks = map[aws.Action][2]string{
	aws.Add: {"+", "32"}, aws.Modify: {"~", "33"}, aws.Replace: {"±", "31"}, aws.Remove: {"-", "31"}, aws.Import: {"+", "32"}, aws.Keep: {"=", "2"},
}

// printUp prints what would change.
func printUp(w io.Writer, t *terminal, u *recipes.Up) error {
	p := &printer{w: w}
	p.line("%s\n", t.paint("1", fmt.Sprintf("Stack %s, CloudFormation stack %s in %s", u.Stack, u.Name, u.Region)))
	if u.Broken {
		p.line("An earlier attempt failed, and its stack has the status %s. It is deleted first, and then everything is made again.\n", u.Status)
		return p.err
	}
	for _, c := range u.Change {
		mark := upMarks[c.Action]
		line := fmt.Sprintf("  %s %s %s", mark[0], c.Type, c.Resource)
		switch {
		case c.Action == aws.Import:
			line += " (exists, and is taken over)"
		case c.Action == aws.Keep:
			line += " (leaves the stack, and is kept)"
		case c.Maybe:
			line += " (may be replaced)"
		case c.Action == aws.Replace:
			line += " (is replaced)"
		}
		p.line("%s", t.paint(mark[1], line))
		if c.Action == aws.Add || c.Action == aws.Import || c.Action == aws.Remove {
			continue
		}
		for _, one := range c.Properties {
			text := fmt.Sprintf("      %s: %s → %s", one.Path, shown(one.Before), shown(one.After))
			if one.Replace {
				text = t.paint("31", text+" (requires replacement)")
			}
			p.line("%s", text)
		}
	}
	if len(u.Change) > 0 {
		p.line("")
	}
	if u.Protection != nil {
		p.line("Deletion protection: %t\n", *u.Protection)
	}
	if u.Empty() {
		p.line("No changes. The stack is up to date.")
	} else {
		p.line("Plan: %s.", u.Summary())
	}
	p.costs(u)
	return p.err
}

// maxShown is how many characters of a property are shown.
const maxShown = 60

func shown(s string) string {
	if s == "" {
		return "(none)"
	}
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + "…"
	}
	return s
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// costs prints what the recipe costs.
func (p *printer) costs(u *recipes.Up) {
	if u.Own || len(u.Costs) == 0 {
		return
	}
	sum, parts := 0.0, []string{}
	for _, c := range u.Costs {
		sum += c.Hour
		parts = append(parts, fmt.Sprintf("%s %.3f", c.What, c.Hour))
	}
	p.line("Cost: about $%.2f an hour (%s), and by use: %s. These are list prices of us-east-1.", sum, strings.Join(parts, ", "), emitaws.ByUse)
}
