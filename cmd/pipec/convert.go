package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/convert"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
)

const convertLong = `Writes HCL files as YAML, and YAML files as HCL. No byte of any program changes. Comments stay with what they
stand at; in YAML, blocks of one type stand together.

One file is written to stdout, and so is stdin for a single -, which --to names the language of. With --write, each file
is replaced by one with the other suffix (.pipec.hcl, .pipec.yaml); a directory stands for its files, and without --to
for those in HCL. A file that is there already is never overwritten.

Files that can't be read are reported and left alone, with exit status 1; then nothing is written.`

type convertOptions struct {
	to    string
	write bool
}

func (a *app) convertCommand() *cobra.Command {
	var o convertOptions
	cmd := &cobra.Command{
		Use:   "convert [FILE|DIR|-]...",
		Short: "Write HCL as YAML, and YAML as HCL",
		Long:  convertLong,
		RunE:  func(_ *cobra.Command, args []string) error { return a.convert(args, o) },
	}
	cmd.Flags().StringVar(&o.to, "to", "", "the language to write, `hcl` or yaml; files in it already are left out")
	cmd.Flags().BoolVarP(&o.write, "write", "w", false, "replace the files, and list those that are written")
	return cmd
}

// conversion is one file, and what it becomes.
type conversion struct {
	from, to string
	text     []byte
}

func (a *app) convert(args []string, o convertOptions) error {
	if o.to != "" && o.to != "hcl" && o.to != "yaml" {
		return usage("--to is hcl or yaml, and not %q", o.to)
	}
	if len(args) == 0 {
		args = []string{a.dir}
	}
	var names []string
	for _, arg := range args {
		if arg == "-" {
			if len(args) > 1 {
				return usage("- stands alone")
			}
			return a.convertStdin(o)
		}
		found, err := convertible(arg, o.to)
		if err != nil {
			return err
		}
		names = append(names, found...)
	}
	if !o.write && len(names) > 1 {
		return usage("stdout takes one file, and these are %d: name one, or replace them with --write", len(names))
	}
	if len(names) == 0 {
		return usage("there is no file to convert")
	}
	var diags diag.List
	sources := map[string][]byte{}
	var done []conversion
	for _, name := range names {
		src, err := readSource(name)
		if err != nil {
			return world(err)
		}
		sources[name] = src
		if text, ok := convert.Source(name, src, &diags); ok {
			other, _ := convert.Name(name)
			done = append(done, conversion{name, other, text})
		}
	}
	if err := a.tellFaults(&diags, sources); err != nil {
		return err
	}
	if !o.write {
		_, err := a.stdout.Write(done[0].text)
		return world(err)
	}
	return a.replaceAll(done)
}

// readSource reads a file, up to just above what a source may have.
func readSource(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, load.MaxRead))
}

// tellFaults shows what is wrong in sources, and fails where that is an error.
func (a *app) tellFaults(diags *diag.List, sources map[string][]byte) error {
	if diags.Len() > 0 {
		if err := diag.Human(a.stderr, diag.NewView(diags.Sorted(), sources), a.diagOptions()); err != nil {
			return world(err)
		}
	}
	if diags.HasErrors() {
		return said(exitUser)
	}
	return nil
}

// convertible are the files that an argument stands for.
func convertible(arg, to string) ([]string, error) {
	info, err := os.Stat(arg)
	if err != nil {
		return nil, usage("there is no file or directory %s", arg)
	}
	if !info.IsDir() {
		other, ok := convert.Name(arg)
		switch {
		case !ok:
			return nil, usage("%s is named neither *%s nor *%s", arg, load.Suffix, load.SuffixYAML)
		case to != "" && !strings.HasSuffix(other, "."+to):
			return nil, usage("%s is in that language already", arg)
		}
		return []string{arg}, nil
	}
	entries, err := os.ReadDir(arg)
	if err != nil {
		return nil, world(err)
	}
	if to == "" {
		to = "yaml"
	}
	var out []string
	for _, e := range entries {
		other, ok := convert.Name(e.Name())
		if ok && load.IsSource(e.Name()) && !e.IsDir() && strings.HasSuffix(other, "."+to) {
			out = append(out, filepath.Join(arg, e.Name()))
		}
	}
	return out, nil
}

// replaceAll puts the converted files in place of the others: all are written before the first is removed.
func (a *app) replaceAll(done []conversion) error {
	for _, c := range done {
		if _, err := os.Lstat(c.to); err == nil {
			return usage("%s is there already: remove or rename it", c.to)
		}
	}
	for _, c := range done {
		if err := createFile(c.to, c.text); err != nil {
			return world(err)
		}
	}
	for _, c := range done {
		if err := os.Remove(c.from); err != nil {
			return world(err)
		}
		if _, err := io.WriteString(a.stdout, c.to+"\n"); err != nil {
			return world(err)
		}
	}
	return nil
}

// createFile writes a file that is not there yet.
func createFile(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (a *app) convertStdin(o convertOptions) error {
	name := map[string]string{"yaml": "<stdin>" + load.Suffix, "hcl": "<stdin>" + load.SuffixYAML}[o.to]
	switch {
	case name == "":
		return usage("--to says which language stdin is written in: hcl or yaml")
	case o.write:
		return usage("stdin can't be replaced: --write goes with files")
	}
	src, err := io.ReadAll(io.LimitReader(a.stdin, load.MaxRead))
	if err != nil {
		return world(err)
	}
	var diags diag.List
	text, ok := convert.Source(name, bytes.Clone(src), &diags)
	if err := a.tellFaults(&diags, map[string][]byte{name: src}); err != nil {
		return err
	}
	if !ok {
		return said(exitUser)
	}
	_, err = a.stdout.Write(text)
	return world(err)
}
