package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/schema/types"
)

const consoleLong = `Evaluates expressions with the project's variables and locals: the given expression, or each line of stdin. Names that
are only known at run time (param, step, run) can't be evaluated.`

func consoleCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "console [EXPRESSION]",
		Short: "Evaluate expressions",
		Long:  consoleLong,
		Example: `  pipec console 'upper("a")'
  pipec console 'var.region' --var region=eu`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := c.open().Checked()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return c.evaluate(r, args[0], c.stdout, c.stderr)
			}
			if in, ok := c.stdin.(*os.File); ok && c.terminal.terminal && term.IsTerminal(int(in.Fd())) {
				return c.evaluateTyped(r, in)
			}
			return c.evaluateLines(r)
		},
	}
}

func (c *cli) evaluate(r *project.Compiled, text string, stdout, stderr io.Writer) error {
	v, diags := r.Evaluate([]byte(text))
	if diags.Len() > 0 {
		view := diag.NewView(diags.Sorted(), map[string][]byte{compiler.ConsoleName: []byte(text)})
		if err := diag.Human(stderr, view, c.diagOptions()); err != nil {
			return fault.Env(err)
		}
	}
	if diags.HasErrors() {
		return silent(exitUser)
	}
	_, err := fmt.Fprintln(stdout, types.Literal(v))
	return fault.Env(err)
}

// lines evaluates each line of stdin; after all of them, one that failed is a failure.
func (c *cli) evaluateLines(r *project.Compiled) error {
	var failed error
	in := bufio.NewScanner(c.stdin)
	in.Buffer(nil, types.MaxValue)
	for in.Scan() {
		if text := strings.TrimSpace(in.Text()); text != "" {
			if err := c.evaluate(r, text, c.stdout, c.stderr); err != nil {
				failed = err
			}
		}
	}
	if err := in.Err(); err != nil {
		return fault.Env(err)
	}
	return failed
}

// interactive is a prompt with line editing. Ctrl-D ends it, and so does `exit`.
func (c *cli) evaluateTyped(r *project.Compiled, in *os.File) error {
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return fault.Env(err)
	}
	defer term.Restore(int(in.Fd()), state)
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, c.drawOut}, "> ")
	for {
		line, err := t.ReadLine()
		switch text := strings.TrimSpace(line); {
		case errors.Is(err, io.EOF) || text == "exit" || text == "quit":
			return nil
		case err != nil:
			return fault.Env(err)
		case text != "":
			if err := c.evaluate(r, text, t, t); exitStatus(err) == exitEnvironment {
				return err
			}
		}
	}
}
