package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/convert"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/format"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/files"
	"pipec.dev/pipec/internal/app/starter"
	"pipec.dev/pipec/runtime/shell"
)

//go:embed starter
var starterFiles embed.FS

const initLong = `Writes a small project that runs on this machine, and on a cluster when the second stack has your bucket and registry. The
stack of this machine is chosen for this directory; pipec stack use chooses another one.

--template chooses the project:

  python      two Python functions (default)
  script      a Python script with arguments
  shell       shell commands
  kubernetes  resources, a schedule, retries and an approval
  sweep       a step for each value of a list, and the best result

--from writes the pipeline for a script instead, whose arguments it reads from the script's calls of add_argument. The
script is not changed.

A directory that contains a project already is not changed.`

const initExample = `  pipec init
  pipec init my-project --template sweep
  pipec init --from train.py
  pipec init --yaml`

// initializer writes starter projects.
type initializer struct {
	*cli
	template, from string
	yaml           bool
	required       []string // the params of the pipeline that a run must set
}

func initCommand(c *cli) *cobra.Command {
	i := initializer{cli: c}
	cmd := &cobra.Command{
		Use:     "init [DIR]",
		Short:   "Write a starter project",
		Long:    initLong,
		Example: initExample,
		Args:    atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := c.dir
			if len(args) == 1 {
				dir = args[0]
			}
			return i.init(dir)
		},
	}
	cmd.Flags().StringVar(&i.template, "template", "python", "the starter: "+strings.Join(templates(), ", "))
	cmd.Flags().StringVar(&i.from, "from", "", "write the pipeline for this Python `SCRIPT` with argparse")
	cmd.Flags().BoolVar(&i.yaml, "yaml", false, "write YAML instead of HCL")
	cmd.MarkFlagsMutuallyExclusive("template", "from")
	return cmd
}

// templates are the names of the starters.
func templates() []string { return []string{"kubernetes", "python", "script", "shell", "sweep"} }

func (i *initializer) init(dir string) error {
	if !slices.Contains(templates(), i.template) {
		hint := ""
		if near := diag.Suggest(i.template, templates()); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		return usage("there is no template %q: one of %s%s", i.template, strings.Join(templates(), ", "), hint)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Env(err)
	}
	if found, err := files.Sources(dir, false); err != nil {
		return err
	} else if len(found) > 0 {
		return fault.Userf("%s exists: this directory already contains a project", found[0])
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fault.Env(err)
	}
	content, err := i.content(dir, projectName(filepath.Base(abs)))
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(content)) {
		err := files.Create(filepath.Join(dir, filepath.FromSlash(name)), content[name])
		if err != nil && !errors.Is(err, fs.ErrExist) { // the user's file is kept
			return fault.Env(err)
		}
	}
	if err := i.project(dir).Use("local"); err != nil {
		return err
	}
	place, where := "this directory", ""
	if dir != "." {
		place, where = dir, " -C "+shell.Word(dir)
	}
	set := ""
	for _, name := range i.required {
		set += " --param " + name + "=VALUE"
	}
	_, err = fmt.Fprintf(i.stderr, "A starter project is in %s. Try:\n\n  pipec validate%[2]s\n  pipec graph%[2]s\n  pipec run%[2]s%[3]s\n", place, where, set)
	return fault.Env(err)
}

// content returns the files of the project by their names, with slashes.
func (i *initializer) content(dir, project string) (map[string][]byte, error) {
	out := map[string][]byte{}
	parts := []string{"common", i.template}
	if i.from != "" {
		parts = parts[:1]
		text, required, err := starter.Script(dir, i.from)
		if i.required = required; err != nil {
			return nil, err
		}
		out["main"+load.Suffix] = text
	}
	for _, part := range parts {
		err := fs.WalkDir(starterFiles, path.Join("starter", part), func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := starterFiles.ReadFile(name)
			rel := strings.TrimPrefix(name, "starter/"+part+"/")
			if rel == "gitignore" {
				rel = ".gitignore"
			}
			out[rel] = []byte(strings.ReplaceAll(string(data), "PROJECT", project))
			return err
		})
		if err != nil {
			return nil, fault.Env(err)
		}
	}
	for name, text := range out {
		if !strings.HasSuffix(name, load.Suffix) {
			continue
		}
		var diags diag.List
		text, ok := format.Source(name, text, &diags)
		to := name
		if ok && i.yaml {
			to, _ = convert.Name(name)
			text, ok = convert.Source(name, text, &diags)
		}
		if !ok {
			return nil, i.diagnostics(diags.Sorted(), out)
		}
		delete(out, name)
		out[to] = text
	}
	return out, nil
}

var notInName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// projectName makes a name for a project of the name of its directory.
func projectName(base string) string {
	name := strings.Trim(notInName.ReplaceAllString(base, "-"), "-")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "project-" + name
	}
	return strings.TrimSuffix(name[:min(len(name), 63)], "-")
}
