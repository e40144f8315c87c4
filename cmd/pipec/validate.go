package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
)

const validateLong = `Checks a project offline: syntax, names, types, edges, cycles, schedules. It needs no cluster, no
network, no Docker and no Python, and no stack.

A file stands for its project, reported for itself alone. Exit status 1 where there is an error.

` + formatsLong

func (a *app) validateCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "validate [FILE|DIR]...",
		Short: "Check a project offline",
		Long:  validateLong,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.validate(args, format)
		},
	}
	formatFlag(cmd, &format)
	return cmd
}

func (a *app) validate(args []string, format string) error {
	write, err := formatNamed(format)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{a.dir}
	}
	var found []diag.Diagnostic
	sources := map[string][]byte{}
	summary := ""
	compiled := map[string]*compiler.Result{}
	for _, arg := range args {
		dir, only, err := target(arg)
		if err != nil {
			return err
		}
		r, done := compiled[dir]
		if !done {
			if r, err = a.compile(dir); err != nil {
				return err
			}
			compiled[dir] = r
		}
		for name, src := range r.Sources {
			sources[name] = src
		}
		for _, d := range r.Diags.Sorted() {
			if only == "" || d.Range.Filename == only {
				found = append(found, d)
			}
		}
		summary = describeProject(r)
	}
	v := diag.NewView(found, sources)
	if format != "human" || len(found) > 0 {
		o := a.diagOptions()
		o.Version = pipecVersion()
		if err := write(a.stdout, v, o); err != nil {
			return world(err)
		}
	}
	if !v.Valid {
		return said(exitUser)
	}
	if format == "human" {
		if len(compiled) > 1 {
			summary = fmt.Sprintf("%d projects", len(compiled))
		}
		_, err := fmt.Fprintf(a.stdout, "%s %s.\n", a.paint("32;1", "Valid:"), summary)
		return world(err)
	}
	return nil
}

// target is the project that an argument stands for, and the one file of it that is asked about.
func target(arg string) (dir, only string, err error) {
	info, err := os.Stat(arg)
	switch {
	case err != nil:
		return "", "", usage("there is no file or directory %s", arg)
	case info.IsDir():
		return arg, "", nil
	}
	dir = filepath.Dir(arg)
	return dir, filepath.Join(dir, filepath.Base(arg)), nil
}

func describeProject(r *compiler.Result) string {
	steps, programs := 0, r.Programs
	if len(programs) == 0 {
		programs = r.Called // of a library
	}
	for _, p := range programs {
		steps += len(p.Steps) + len(p.Finally)
	}
	text := fmt.Sprintf("%s, %s", plural(len(programs), "pipeline"), plural(steps, "step"))
	if len(r.Stacks) > 0 {
		text += ", " + plural(len(r.Stacks), "stack")
	}
	return text
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
