package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/format"
	"pipec.dev/pipec/compiler/load"
)

const fmtLong = `Lays out source files in their one canonical form, and lists those that it changed. Files that can't be
parsed are reported and left alone, as are those that are read-only. A single - formats stdin to stdout. It is for HCL: files in YAML are left as they are.

Exit status 1 with --check where a file is not in canonical form.`

type fmtOptions struct{ check, diff, recursive bool }

func (a *app) fmtCommand() *cobra.Command {
	var o fmtOptions
	cmd := &cobra.Command{
		Use:   "fmt [FILE|DIR|-]...",
		Short: "Lay out source files",
		Long:  fmtLong,
		RunE:  func(_ *cobra.Command, args []string) error { return a.fmt(args, o) },
	}
	cmd.Flags().BoolVar(&o.check, "check", false, "change nothing; exit with 1 where something would change")
	cmd.Flags().BoolVar(&o.diff, "diff", false, "show what changes")
	cmd.Flags().BoolVarP(&o.recursive, "recursive", "r", false, "go into directories below")
	return cmd
}

func (a *app) fmt(args []string, o fmtOptions) error {
	if len(args) == 0 {
		args = []string{a.dir}
	}
	var files []string
	for _, arg := range args {
		if arg == "-" {
			if len(args) > 1 {
				return usage("- stands alone")
			}
			return a.fmtStdin(o)
		}
		found, err := sources(arg, o.recursive)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	var diags diag.List
	bad := map[string][]byte{}
	changed := false
	for _, name := range files {
		if strings.HasSuffix(name, load.SuffixYAML) {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			return world(err)
		}
		out, ok := format.Source(name, src, &diags)
		switch {
		case !ok:
			bad[name] = src
		case !bytes.Equal(src, out):
			changed = true
			if err := a.fmtChanged(name, src, out, o); err != nil {
				return err
			}
		}
	}
	if diags.Len() > 0 {
		if err := diag.Human(a.stderr, diag.NewView(diags.Sorted(), bad), a.diagOptions()); err != nil {
			return world(err)
		}
	}
	if diags.HasErrors() || o.check && changed {
		return said(exitUser)
	}
	return nil
}

func (a *app) fmtChanged(name string, src, out []byte, o fmtOptions) error {
	if !o.check {
		if err := replace(name, out); err != nil {
			return world(err)
		}
	}
	if _, err := fmt.Fprintln(a.stdout, name); err != nil {
		return world(err)
	}
	if o.diff {
		if _, err := a.stdout.Write(diff.Diff("old/"+name, src, "new/"+name, out)); err != nil {
			return world(err)
		}
	}
	return nil
}

func (a *app) fmtStdin(o fmtOptions) error {
	src, err := io.ReadAll(a.stdin)
	if err != nil {
		return world(err)
	}
	var diags diag.List
	out, ok := format.Source("<stdin>", src, &diags)
	if !ok {
		if err := diag.Human(a.stderr, diag.NewView(diags.Sorted(), map[string][]byte{"<stdin>": src}), a.diagOptions()); err != nil {
			return world(err)
		}
		return said(exitUser)
	}
	switch {
	case o.diff:
		out, src = diff.Diff("old/<stdin>", src, "new/<stdin>", out), out
		_, err = a.stdout.Write(out)
		if o.check && len(out) > 0 {
			return said(exitUser)
		}
	case o.check:
		if !bytes.Equal(src, out) {
			return said(exitUser)
		}
	default:
		_, err = a.stdout.Write(out)
	}
	return world(err)
}

// sources are the source files that an argument stands for.
func sources(arg string, recursive bool) ([]string, error) {
	info, err := os.Stat(arg)
	if err != nil {
		return nil, usage("there is no file or directory %s", arg)
	}
	if !info.IsDir() {
		return []string{arg}, nil
	}
	var out []string
	err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != arg && (!recursive || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case isFile(path, d) && strings.HasSuffix(d.Name(), load.Suffix) && !strings.HasPrefix(d.Name(), "."):
			out = append(out, path)
		}
		return nil
	})
	return out, world(err)
}

// isFile says whether an entry of a directory is a file, or leads to one: those are read too.
func isFile(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// replace puts new bytes in a file's place, at once or not at all.
func replace(name string, data []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o222 == 0 {
		return fmt.Errorf("%s is read-only, and is left as it is", name)
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".pipec-fmt-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Chmod(info.Mode().Perm())
	}
	if closeErr := tmp.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), name)
}
