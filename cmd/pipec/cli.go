package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/internal/app"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/shell"
)

// cli is what every command has: its terminal, the environment, and the flags that all commands share.
type cli struct {
	*terminal
	env           []string
	tables        project.Tables     // nil ones: pipec's own
	orchestrators orchestrator.Table // nil: those of package app
	memory        memory

	dir   string
	stack string
	vars  []evaluate.Source // of --var and --var-file, in their order
}

// main runs one command and returns the exit status.
func (c *cli) main(ctx context.Context, args []string) (status int) {
	defer func() {
		if p := recover(); p != nil {
			status = c.panicked(p)
		}
	}()
	defer c.close()
	root := c.root()
	root.SetArgs(dashes(args))
	root.SetIn(c.stdin)
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	return c.report(root.ExecuteContext(ctx))
}

// open opens the project of the flags. Changes of a cluster are printed with the rest of the progress.
func (c *cli) open() *app.Project {
	return c.openWith(c.dir, &progress{terminal: c.terminal, changes: c.stderr})
}

// openWith opens the project in dir, whose notices go to p.
func (c *cli) openWith(dir string, p *progress) *app.Project {
	return app.Open(dir, app.Options{Orchestrators: c.orchestrators, Options: project.Options{
		Stack: c.stack, Tables: c.tables, Vars: c.vars, Env: c.env, Version: pipecVersion(), Executable: os.Executable,
		Notify: p.notify, Reading: c.memory.reading,
	}})
}

// project opens a project and discards its notices, for commands that take several directories.
func (c *cli) project(dir string) *project.Project {
	return c.openWith(dir, &progress{terminal: c.terminal, changes: c.stderr}).Project
}

// sharedFlags are the flags with which another command finds the same project and stack.
func (c *cli) sharedFlags() string {
	out := ""
	if c.dir != "." {
		out += " -C " + shell.Word(c.dir)
	}
	if c.stack != "" {
		out += " --stack " + shell.Word(c.stack)
	}
	return out
}

// dashes lets the long flags of fmt be written with one dash too, as Terraform's users do.
func dashes(args []string) []string {
	for i, arg := range args {
		if arg != "fmt" || i > 2 {
			continue
		}
		out := append([]string{}, args[:i+1]...)
		for _, arg := range args[i+1:] {
			switch name, _, _ := strings.Cut(arg, "="); name {
			case "-check", "-diff", "-recursive", "-write", "-list":
				arg = "-" + arg
			}
			out = append(out, arg)
		}
		return out
	}
	return args
}

const rootLong = `pipec is to ML pipelines what Terraform is to infrastructure: stacks and pipelines in HCL or YAML, one compiler
that checks them offline, and runs that need no server.

Exit status:

    0  success
    1  an error in the project's files, or a run that failed, was cancelled or timed out
    2  there are changes (plan --detailed-exitcode), or an internal error of pipec
    3  an error of the environment: disk, artifact store, cluster or registry
   64  an error in the command line
  130  interrupted

If PIPEC_DEBUG is set, an internal error is printed with its stack.`

func (c *cli) root() *cobra.Command {
	c.tables = c.tables.Filled()
	root := &cobra.Command{
		Use:           "pipec",
		Short:         "ML pipelines as code: checked, reviewed, run anywhere",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	f := root.PersistentFlags()
	f.StringVarP(&c.dir, "chdir", "C", ".", "the project's directory, `DIR`")
	f.StringVar(&c.stack, "stack", "", "the `NAME` of the stack (default: PIPEC_STACK, then the choice of pipec stack use)")
	f.Var(&varFlag{c, "--var"}, "var", "set a variable, as `NAME=VALUE`; may be repeated")
	f.Var(&varFlag{c, "--var-file"}, "var-file", "read variables from a `FILE`; may be repeated")
	f.BoolVar(&c.noColor, "no-color", false, "print no colours (also NO_COLOR)")
	root.AddCommand(
		initCommand(c), fmtCommand(c), convertCommand(c), validateCommand(c), testCommand(c), lintCommand(c), graphCommand(c), emitCommand(c),
		planCommand(c), applyCommand(c), destroyCommand(c), consoleCommand(c), runCommand(c), backfillCommand(c), rerunCommand(c), cancelCommand(c),
		approveCommand(c), runsCommand(c), explainCommand(c), waitCommand(c), logsCommand(c), artifactsCommand(c), dataCommand(c), uiCommand(c), buildCommand(c), pushCommand(c), schemaCommand(c), lspCommand(c),
		stackCommand(c), versionCommand(c),
	)
	root.SuggestionsMinimumDistance = 2
	root.Version = pipecVersion()
	root.SetVersionTemplate(versionLine() + "\n")
	c.completions(root)
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Args = knownCommand
		}
	}
	root.SetFlagErrorFunc(flagFault)
	return root
}

// knownCommand refuses help about a command that does not exist, because cobra would show the help of pipec instead.
func knownCommand(cmd *cobra.Command, args []string) error {
	root := cmd.Root()
	if found, _, err := root.Find(args); len(args) > 0 && (err != nil || found == root) {
		return noCommand(root, args[0])
	}
	return nil
}

// noCommand is the fault that there is no command of a name.
func noCommand(root *cobra.Command, name string) error {
	return fault.Usagef("there is no command %q%s", name, suggestCommand(root, name)).WithHint("`pipec help` lists the commands.")
}

func suggestCommand(cmd *cobra.Command, name string) string {
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	if near := diag.Suggest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// varFlag keeps --var and --var-file in one order, because the later wins.
type varFlag struct {
	c    *cli
	flag string
}

func (v *varFlag) String() string { return "" }
func (v *varFlag) Type() string   { return "string" }
func (v *varFlag) Set(s string) error {
	if v.flag == "--var" {
		v.c.vars = append(v.c.vars, evaluate.Source{Flag: s})
	} else {
		v.c.vars = append(v.c.vars, evaluate.Source{File: s})
	}
	return nil
}
