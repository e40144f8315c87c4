package main

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/recipes"
)

const stackDownLong = `Removes what stack up has made: first the load balancers and the volumes that the cluster has made, then the CloudFormation
stack. The command lists everything and asks for confirmation. Without a terminal it needs --yes.

The bucket and the repositories are kept if they have content, and stack up uses them again. --with-data deletes them too.
It asks for the name of the project, also with --yes; without a terminal, --confirm-data NAME gives it.`

type stackDown struct {
	*cli
	yes     bool
	project string
	request recipes.DownRequest
}

func stackDownCommand(c *cli) *cobra.Command {
	d := stackDown{cli: c}
	cmd := &cobra.Command{
		Use:               "down [NAME]",
		Short:             "Remove the infrastructure of a stack",
		Long:              stackDownLong,
		Example:           `  pipec stack down aws`,
		Args:              atMost(1),
		ValidArgsFunction: c.completeStacks,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				c.stack = args[0]
			}
			return d.down(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&d.yes, "yes", "y", false, "do not ask for confirmation")
	f.BoolVar(&d.request.WithData, "with-data", false, "delete the bucket and the repositories too, with all artifacts, records and images")
	f.StringVar(&d.project, "confirm-data", "", "the `NAME` of the project, to confirm --with-data without a terminal")
	f.BoolVar(&d.request.SkipCluster, "skip-cluster", false, "do not remove load balancers and volumes of the cluster first")
	return cmd
}

func (d *stackDown) down(ctx context.Context) error {
	if !d.yes && !d.canAsk() {
		return usage("stack down asks before it removes anything, and there is no terminal to ask on: give --yes")
	}
	if d.request.WithData && d.project == "" && !d.canAsk() {
		return usage("--with-data asks for the name of the project, and there is no terminal to ask on: give --confirm-data NAME")
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	plan, err := d.recipes().PrepareDown(ctx, d.request)
	if err != nil {
		return err
	}
	if err := d.print(plan); err != nil {
		return fault.Env(err)
	}
	if !plan.Empty() {
		if err := d.consent(plan); err != nil {
			return err
		}
	}
	if err := plan.Apply(ctx, d.event); err != nil {
		return err
	}
	left, tagged, err := plan.Remaining(ctx)
	if err != nil {
		return err
	}
	p := &printer{w: d.stdout}
	if len(left)+len(tagged) == 0 {
		p.line("Nothing remains of the stack %s.", plan.Name)
	}
	for _, l := range left {
		p.line("%s remains.", l)
	}
	for _, arn := range tagged {
		p.line("%s has the tags of the stack. AWS lists deleted resources for a while.", arn)
	}
	return fault.Env(p.err)
}

func (d *stackDown) print(plan *recipes.Down) error {
	p := &printer{w: d.stdout}
	p.line("%s\n", d.paint("1", fmt.Sprintf("Stack %s, CloudFormation stack %s in %s", plan.Stack, plan.Name, plan.Region)))
	for _, o := range plan.Objects {
		p.line("%s", d.paint("31", "  - "+o.String()))
	}
	if plan.Exists {
		p.line("%s", d.paint("31", "  - CloudFormation stack "+plan.Name))
	}
	for _, l := range plan.Delete {
		text := "  - " + l.String()
		if l.Content {
			text += ", with its content"
		}
		p.line("%s", d.paint("31", text))
	}
	for _, l := range plan.Keep {
		p.line("  = %s is kept, because it has content", l)
	}
	if plan.Empty() {
		p.line("There is nothing to remove.")
	}
	return p.err
}

// consent asks whether to remove the stack, and for the name of the project if data is deleted.
func (d *stackDown) consent(plan *recipes.Down) error {
	if !d.yes {
		if err := d.confirm("Remove this?"); err != nil {
			return err
		}
	}
	content := false
	for _, l := range plan.Delete {
		content = content || l.Content
	}
	if !content {
		return nil
	}
	name := d.project
	if name == "" {
		if _, err := fmt.Fprintf(d.stderr, "All artifacts, records and images are deleted. Type the name of the project: "); err != nil {
			return fault.Env(err)
		}
		line, _ := bufio.NewReader(d.stdin).ReadString('\n')
		name = strings.TrimSpace(line)
	}
	if name == plan.Project {
		return nil
	}
	fmt.Fprintf(d.stderr, "The name of the project is %q, and not %q. Nothing was changed.\n", plan.Project, name)
	return silent(exitUser)
}
