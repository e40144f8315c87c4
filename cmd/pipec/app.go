package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit statuses.
const (
	exitOK          = 0
	exitUser        = 1   // the user's files, or the run: failed, cancelled, timed out
	exitWorld       = 3   // the cluster, the store, the registry, the disk
	exitUsage       = 64  // the command's own words
	exitInterrupted = 130 // Ctrl-C
)

// app is what every command has: where it reads and writes, the environment, and the flags that all share.
type app struct {
	stdin    io.Reader
	stdout   io.Writer // the product
	stderr   io.Writer // the talk
	env      []string
	terminal bool // stdout is one

	dir     string
	stack   string
	vars    []string // --var and --var-file in their order, each with its flag's name before it
	noColor bool
}

// failure is an error with its exit status. An empty text means that all has been said.
type failure struct {
	status int
	err    error
}

func (f *failure) Error() string {
	if f.err == nil {
		return ""
	}
	return f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// said is a failure about which all has been said.
func said(status int) error { return &failure{status: status} }

// usage is a failure of the command's own words.
func usage(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

// user is a failure of the user's files or choices.
func user(err error) error { return &failure{exitUser, err} }

// world is a failure of what is outside: disk, store, cluster.
func world(err error) error {
	if err == nil {
		return nil
	}
	var f *failure
	if errors.As(err, &f) {
		return err
	}
	return &failure{exitWorld, err}
}

// main runs one command and returns the exit status.
func (a *app) main(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(dashes(args))
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	status := exitUsage // what cobra itself refuses
	var f *failure
	if errors.As(err, &f) {
		status = f.status
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(a.stderr, a.paint("31;1", "Error: ")+text)
	}
	if status == exitUsage {
		fmt.Fprintln(a.stderr, "`pipec help` lists the commands; `pipec COMMAND --help` says how each is used.")
	}
	return status
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

const rootLong = `pipec is to ML pipelines what Terraform is to infrastructure: stacks and pipelines in HCL or YAML,
one compiler that checks them offline, and runs that need no server.

Exit status: 0 it worked; 1 the project's files or the run (failed, cancelled, timed out);
2 there are changes, for plan --detailed-exitcode; 3 the world (disk, store, cluster); 64 usage; 130 interrupted.`

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "pipec",
		Short:         "ML pipelines as code: checked, reviewed, run anywhere",
		Long:          rootLong,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("there is no command %q%s", args[0], suggestCommand(cmd, args[0]))
			}
			return cmd.Help()
		},
	}
	f := root.PersistentFlags()
	f.StringVarP(&a.dir, "chdir", "C", ".", "`DIR` of the project")
	f.StringVar(&a.stack, "stack", "", "`NAME` of the stack (also PIPEC_STACK, and what pipec stack use chose)")
	f.Var(&varFlag{a, "--var"}, "var", "a variable's value, as `NAME=VALUE`; may be repeated")
	f.Var(&varFlag{a, "--var-file"}, "var-file", "a `FILE` of variables' values; may be repeated")
	f.BoolVar(&a.noColor, "no-color", false, "no colours (also NO_COLOR)")
	root.AddCommand(
		a.initCommand(), a.fmtCommand(), a.convertCommand(), a.validateCommand(), a.lintCommand(), a.graphCommand(), a.emitCommand(), a.planCommand(), a.applyCommand(), a.destroyCommand(), a.consoleCommand(),
		a.runCommand(), a.rerunCommand(), a.cancelCommand(), a.approveCommand(), a.runsCommand(), a.logsCommand(), a.artifactsCommand(), a.pushCommand(), a.schemaCommand(), a.lspCommand(), a.stackCommand(), a.versionCommand(),
	)
	root.SuggestionsMinimumDistance = 2
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "help" {
			cmd.Args = knownCommand
		}
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage("%v", err) })
	return root
}

// knownCommand refuses help about what is no command: cobra's own help would show that of all commands instead.
func knownCommand(cmd *cobra.Command, args []string) error {
	root := cmd.Root()
	if found, _, err := root.Find(args); len(args) > 0 && (err != nil || found == root) {
		return usage("there is no command %q%s", args[0], suggestCommand(root, args[0]))
	}
	return nil
}

func suggestCommand(cmd *cobra.Command, name string) string {
	if near := cmd.SuggestionsFor(name); len(near) > 0 {
		return fmt.Sprintf("; did you mean %q?", near[0])
	}
	return ""
}

// varFlag keeps --var and --var-file in one order: the later wins.
type varFlag struct {
	a    *app
	flag string
}

func (v *varFlag) String() string { return "" }
func (v *varFlag) Type() string   { return "string" }
func (v *varFlag) Set(s string) error {
	v.a.vars = append(v.a.vars, v.flag, s)
	return nil
}

// getenv reads the environment that the app was given.
func (a *app) getenv(name string) string {
	for i := len(a.env) - 1; i >= 0; i-- {
		if value, ok := strings.CutPrefix(a.env[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// color says whether output that goes to a terminal is coloured.
func (a *app) color() bool {
	return a.terminal && !a.noColor && a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
}

func (a *app) paint(code, text string) string {
	if !a.color() {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// width is the terminal's, or 0.
func (a *app) width() int {
	columns, _ := a.size()
	return columns
}

// size is the terminal's, or zeros.
func (a *app) size() (columns, rows int) {
	if f, ok := a.stdout.(*os.File); ok && a.terminal {
		if w, h, err := term.GetSize(int(f.Fd())); err == nil {
			return w, h
		}
	}
	return 0, 0
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
