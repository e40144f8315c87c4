package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// tree calls f with each command that does something.
func tree(cmd *cobra.Command, f func(*cobra.Command)) {
	for _, below := range cmd.Commands() {
		if below.Name() != "help" && below.Name() != "completion" {
			tree(below, f)
		}
	}
	if cmd.RunE != nil && cmd.HasParent() {
		f(cmd)
	}
}

func testCLI() *cli {
	var out bytes.Buffer
	return &cli{terminal: &terminal{stdin: strings.NewReader(""), stdout: &out, stderr: &out}}
}

// TestCompletionOfEveryFlag: a flag that takes a value completes it, unless the value is a file.
func TestCompletionOfEveryFlag(t *testing.T) {
	files := []string{
		"chdir", "var-file", "params", "init --from", "graph --output", "artifacts get --to", "emit --split", "plan --out", "apply --plan", "stack recipe --write", "stack up --template",
	}
	paths := []string{"convert", "fmt", "init", "lint", "test", "validate", "console"} // their arguments are files, directories or expressions
	isFile := func(cmd *cobra.Command, f *pflag.Flag) bool {
		name := strings.TrimPrefix(cmd.CommandPath(), "pipec ") + " --" + f.Name
		for _, file := range files {
			if file == f.Name || file == name {
				return true
			}
		}
		return false
	}
	tree(testCLI().root(), func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			_, completes := cmd.GetFlagCompletionFunc(f.Name)
			switch {
			case f.Value.Type() == "bool":
			case isFile(cmd, f) && completes:
				t.Errorf("%s --%s: a file is completed as something else", cmd.CommandPath(), f.Name)
			case !isFile(cmd, f) && !completes:
				t.Errorf("%s --%s is not completed", cmd.CommandPath(), f.Name)
			}
		})
		arguments := !strings.HasSuffix(cmd.Use, " [flags]") && strings.Contains(cmd.Use, " ")
		if arguments && cmd.ValidArgsFunction == nil && !slices.Contains(paths, cmd.Name()) {
			t.Errorf("%s: its arguments are not completed", cmd.CommandPath())
		}
	})
}
