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
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/files"
)

const convertLong = `Writes HCL files as YAML, and YAML files as HCL. No byte of any program changes. Comments stay with what they
stand at; in YAML, blocks of one type stand together.

One file is written to stdout, and so is stdin for a single -, which --to names the language of. With --write, each file
is replaced by one with the other suffix (.pipec.hcl, .pipec.yaml); a directory stands for its files, and without --to
for those in HCL. A file that is there already is never overwritten.

Files that can't be read are reported and left alone, with exit status 1; then nothing is written.`

// converter converts source files from one language to the other.
type converter struct {
	*cli
	to    string
	write bool
}

func convertCommand(c *cli) *cobra.Command {
	v := converter{cli: c}
	cmd := &cobra.Command{
		Use:   "convert [FILE|DIR|-]...",
		Short: "Write HCL as YAML, and YAML as HCL",
		Long:  convertLong,
		RunE:  func(_ *cobra.Command, args []string) error { return v.convert(args) },
	}
	cmd.Flags().StringVar(&v.to, "to", "", "the language to write, `hcl` or yaml; files in it already are left out")
	cmd.Flags().BoolVarP(&v.write, "write", "w", false, "replace the files, and list those that are written")
	return cmd
}

// conversion is one file, and what it becomes.
type conversion struct {
	from, to string
	text     []byte
}

func (v *converter) convert(args []string) error {
	if v.to != "" && v.to != "hcl" && v.to != "yaml" {
		return usage("--to is hcl or yaml, and not %q", v.to)
	}
	if len(args) == 0 {
		args = []string{v.dir}
	}
	var names []string
	for _, arg := range args {
		if arg == "-" {
			if len(args) > 1 {
				return usage("- stands alone")
			}
			return v.convertStdin()
		}
		found, err := convertible(arg, v.to)
		if err != nil {
			return err
		}
		names = append(names, found...)
	}
	if !v.write && len(names) > 1 {
		return usage("stdout takes one file, and these are %d: name one, or replace them with --write", len(names))
	}
	if len(names) == 0 {
		return usage("there is no file to convert")
	}
	var diags diag.List
	sources := map[string][]byte{}
	var done []conversion
	for _, name := range names {
		src, err := files.Read(name)
		if err != nil {
			return fault.Env(err)
		}
		sources[name] = src
		if text, ok := convert.Source(name, src, &diags); ok {
			other, _ := convert.Name(name)
			done = append(done, conversion{name, other, text})
		}
	}
	if err := v.faults(&diags, sources); err != nil {
		return err
	}
	if !v.write {
		_, err := v.stdout.Write(done[0].text)
		return fault.Env(err)
	}
	return v.replaceAll(done)
}

// faults prints what is wrong in sources. Errors are a silent failure.
func (v *converter) faults(diags *diag.List, sources map[string][]byte) error {
	if err := v.diagnostics(diags.Sorted(), sources); err != nil {
		return err
	}
	if diags.HasErrors() {
		return silent(exitUser)
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
		return nil, fault.Env(err)
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
func (v *converter) replaceAll(done []conversion) error {
	for _, c := range done {
		if _, err := os.Lstat(c.to); err == nil {
			return usage("%s is there already: remove or rename it", c.to)
		}
	}
	for _, c := range done {
		if err := files.Create(c.to, c.text); err != nil {
			return fault.Env(err)
		}
	}
	for _, c := range done {
		if err := os.Remove(c.from); err != nil {
			return fault.Env(err)
		}
		if _, err := io.WriteString(v.stdout, c.to+"\n"); err != nil {
			return fault.Env(err)
		}
	}
	return nil
}

func (v *converter) convertStdin() error {
	name := map[string]string{"yaml": "<stdin>" + load.Suffix, "hcl": "<stdin>" + load.SuffixYAML}[v.to]
	switch {
	case name == "":
		return usage("--to says which language stdin is written in: hcl or yaml")
	case v.write:
		return usage("stdin can't be replaced: --write goes with files")
	}
	src, err := io.ReadAll(io.LimitReader(v.stdin, load.MaxRead))
	if err != nil {
		return fault.Env(err)
	}
	var diags diag.List
	text, ok := convert.Source(name, bytes.Clone(src), &diags)
	if err := v.faults(&diags, map[string][]byte{name: src}); err != nil {
		return err
	}
	if !ok {
		return silent(exitUser)
	}
	_, err = v.stdout.Write(text)
	return fault.Env(err)
}
