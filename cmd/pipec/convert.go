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
	"pipec.dev/pipec/schema/language"
)

const convertLong = `Converts HCL files to YAML, and YAML files to HCL. The compiled programs stay the same, byte for byte. Comments stay with
the attribute or block that they belong to; in YAML, blocks of one type are grouped.

One file is written to stdout. A single - converts stdin to the language that --to names. With --write, each file is
replaced by a file with the other suffix (.pipec.hcl, .pipec.yaml). A directory means its files, and without --to its
HCL files. Existing files are never overwritten.

Files that can't be parsed are reported; then nothing is written and the exit status is 1.`

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
		Short: "Convert HCL to YAML, and YAML to HCL",
		Long:  convertLong,
		Example: `  pipec convert train.pipec.hcl
  pipec convert --to yaml --write .`,
		RunE: func(_ *cobra.Command, args []string) error { return v.convert(args) },
	}
	cmd.Flags().StringVar(&v.to, "to", "", "the language to write, `hcl` or yaml; files in that language are skipped")
	cmd.Flags().BoolVarP(&v.write, "write", "w", false, "replace the files, and list the files that were written")
	return cmd
}

// conversion is one file, and what it becomes.
type conversion struct {
	from, to string
	text     []byte
}

func (v *converter) convert(args []string) error {
	if v.to != "" && v.to != "hcl" && v.to != "yaml" {
		return usage("--to must be hcl or yaml, not %q", v.to)
	}
	if len(args) == 0 {
		args = []string{v.dir}
	}
	var names []string
	for _, arg := range args {
		if arg == "-" {
			if len(args) > 1 {
				return usage("- can't be combined with other arguments")
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
		return usage("%d files can't be written to stdout: name one file, or replace the files with --write", len(names))
	}
	if len(names) == 0 {
		return usage("there are no files to convert")
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
		if text, ok := convert.SourceWith(language.RootWith(v.tables.Kinds), name, src, &diags); ok {
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
			return nil, usage("the name of %s ends neither in %s nor in %s", arg, load.Suffix, load.SuffixYAML)
		case to != "" && !strings.HasSuffix(other, "."+to):
			return nil, usage("%s is already in that language", arg)
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
			return usage("%s already exists: remove or rename it", c.to)
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
		return usage("stdin needs --to with the language to write: hcl or yaml")
	case v.write:
		return usage("--write can't be combined with stdin")
	}
	src, err := io.ReadAll(io.LimitReader(v.stdin, load.MaxRead))
	if err != nil {
		return fault.Env(err)
	}
	var diags diag.List
	text, ok := convert.SourceWith(language.RootWith(v.tables.Kinds), name, bytes.Clone(src), &diags)
	if err := v.faults(&diags, map[string][]byte{name: src}); err != nil {
		return err
	}
	if !ok {
		return silent(exitUser)
	}
	_, err = v.stdout.Write(text)
	return fault.Env(err)
}
