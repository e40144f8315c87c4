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
	"pipec.dev/pipec/schema/types"
)

const consoleLong = `Evaluates expressions with the project's variables and locals: the one given, or each line of stdin.
Names that are known at run time alone (param, step, run) can't be evaluated here.`

func (a *app) consoleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "console [EXPRESSION]",
		Short: "Evaluate expressions",
		Long:  consoleLong,
		Args:  atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.mustCompile()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return a.evaluate(r, args[0], a.stdout, a.stderr)
			}
			if in, ok := a.stdin.(*os.File); ok && a.terminal && term.IsTerminal(int(in.Fd())) {
				return a.interactive(r, in)
			}
			return a.lines(r)
		},
	}
}

func (a *app) evaluate(r *compiler.Result, text string, stdout, stderr io.Writer) error {
	v, diags := r.Evaluate([]byte(text))
	if diags.Len() > 0 {
		view := diag.NewView(diags.Sorted(), map[string][]byte{compiler.ConsoleName: []byte(text)})
		if err := diag.Human(stderr, view, a.diagOptions()); err != nil {
			return world(err)
		}
	}
	if diags.HasErrors() {
		return said(exitUser)
	}
	_, err := fmt.Fprintln(stdout, types.Literal(v))
	return world(err)
}

// lines evaluates each line of stdin; after all of them, one that failed is a failure.
func (a *app) lines(r *compiler.Result) error {
	var failed error
	in := bufio.NewScanner(a.stdin)
	in.Buffer(nil, types.MaxValue)
	for in.Scan() {
		if text := strings.TrimSpace(in.Text()); text != "" {
			if err := a.evaluate(r, text, a.stdout, a.stderr); err != nil {
				failed = err
			}
		}
	}
	if err := in.Err(); err != nil {
		return world(err)
	}
	return failed
}

// interactive is a prompt with line editing. Ctrl-D ends it, and so does `exit`.
func (a *app) interactive(r *compiler.Result, in *os.File) error {
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return world(err)
	}
	defer term.Restore(int(in.Fd()), state)
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, a.stdout}, "> ")
	for {
		line, err := t.ReadLine()
		switch text := strings.TrimSpace(line); {
		case errors.Is(err, io.EOF) || text == "exit" || text == "quit":
			return nil
		case err != nil:
			return world(err)
		case text != "":
			if err := a.evaluate(r, text, t, t); exitStatus(err) == exitWorld {
				return err
			}
		}
	}
}

func exitStatus(err error) int {
	var f *failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &f):
		return f.status
	}
	return exitUsage
}
