package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/files"
	"pipec.dev/pipec/runtime/shell"
)

//go:embed starter
var starter embed.FS

func initCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "init [DIR]",
		Short: "Write a starter project",
		Long: `Writes a small project that runs on this machine: a pipeline of two Python functions, and a stack.
A directory that contains a project already is not changed.`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			dir := c.dir
			if len(args) == 1 {
				dir = args[0]
			}
			return c.init(dir)
		},
	}
}

func (c *cli) init(dir string) error {
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
	project := projectName(filepath.Base(abs))
	err = fs.WalkDir(starter, "starter", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := starter.ReadFile(path)
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(path, "starter/")
		rel = strings.Replace(rel, "gitignore", ".gitignore", 1)
		err = files.Create(filepath.Join(dir, filepath.FromSlash(rel)), []byte(strings.ReplaceAll(string(data), "PROJECT", project)))
		if errors.Is(err, fs.ErrExist) {
			return nil // the user's file is kept
		}
		return err
	})
	if err != nil {
		return fault.Env(err)
	}
	place, where := "this directory", ""
	if dir != "." {
		place, where = dir, " -C "+shell.Word(dir)
	}
	_, err = fmt.Fprintf(c.stderr, "A starter project is in %s. Try:\n\n  pipec validate%[2]s\n  pipec graph%[2]s\n  pipec run%[2]s\n", place, where)
	return fault.Env(err)
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
