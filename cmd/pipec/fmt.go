package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/format"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/files"
)

const fmtLong = `Formats source files and lists the files that it changed. Files that can't be parsed are reported and not changed, and
neither are read-only files. A single - formats stdin to stdout. Only HCL is formatted: YAML files are not changed.

With --check the exit status is 1 if a file is not formatted.`

// formatter formats source files.
type formatter struct {
	*cli
	check, diff, recursive bool
}

func fmtCommand(c *cli) *cobra.Command {
	f := formatter{cli: c}
	cmd := &cobra.Command{
		Use:   "fmt [FILE|DIR|-]...",
		Short: "Format source files",
		Long:  fmtLong,
		Example: `  pipec fmt
  pipec fmt --check --diff
  pipec fmt -r .`,
		RunE: func(_ *cobra.Command, args []string) error { return f.format(args) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; exit with status 1 if a file is not formatted")
	cmd.Flags().BoolVar(&f.diff, "diff", false, "show the changes")
	cmd.Flags().BoolVarP(&f.recursive, "recursive", "r", false, "format subdirectories too")
	return cmd
}

func (f *formatter) format(args []string) error {
	if len(args) == 0 {
		args = []string{f.dir}
	}
	var names []string
	for _, arg := range args {
		if arg == "-" {
			if len(args) > 1 {
				return usage("- can't be combined with other arguments")
			}
			return f.formatStdin()
		}
		found, err := files.Sources(arg, f.recursive)
		if err != nil {
			return err
		}
		names = append(names, found...)
	}
	var diags diag.List
	bad := map[string][]byte{}
	changed := false
	for _, name := range names {
		if strings.HasSuffix(name, load.SuffixYAML) || strings.HasSuffix(name, load.SuffixTestsYAML) {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return fault.Env(err)
		}
		out, ok := format.Source(name, src, &diags)
		switch {
		case !ok:
			bad[name] = src
		case !bytes.Equal(src, out):
			changed = true
			if err := f.changed(name, src, out); err != nil {
				return err
			}
		}
	}
	if err := f.diagnostics(diags.Sorted(), bad); err != nil {
		return err
	}
	if diags.HasErrors() || f.check && changed {
		return silent(exitUser)
	}
	return nil
}

func (f *formatter) changed(name string, src, out []byte) error {
	if !f.check {
		if err := files.Replace(name, out); err != nil {
			return fault.Env(err)
		}
	}
	if _, err := fmt.Fprintln(f.stdout, name); err != nil {
		return fault.Env(err)
	}
	if f.diff {
		if _, err := f.stdout.Write(diff.Diff("old/"+name, src, "new/"+name, out)); err != nil {
			return fault.Env(err)
		}
	}
	return nil
}

func (f *formatter) formatStdin() error {
	src, err := io.ReadAll(f.stdin)
	if err != nil {
		return fault.Env(err)
	}
	var diags diag.List
	out, ok := format.Source("<stdin>", src, &diags)
	if !ok {
		if err := f.diagnostics(diags.Sorted(), map[string][]byte{"<stdin>": src}); err != nil {
			return err
		}
		return silent(exitUser)
	}
	switch {
	case f.diff:
		out, src = diff.Diff("old/<stdin>", src, "new/<stdin>", out), out
		_, err = f.stdout.Write(out)
		if f.check && len(out) > 0 {
			return silent(exitUser)
		}
	case f.check:
		if !bytes.Equal(src, out) {
			return silent(exitUser)
		}
	default:
		_, err = f.stdout.Write(out)
	}
	return fault.Env(err)
}
