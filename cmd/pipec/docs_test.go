package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestDocsOfCommands holds docs/commands.md to what the commands say of themselves; -update rewrites it.
func TestDocsOfCommands(t *testing.T) {
	var b bytes.Buffer
	c := &cli{terminal: &terminal{}}
	root := c.root()
	b.WriteString("<!-- Generated from the commands by `make generate`; do not edit. -->\n\n# Commands\n\n")
	b.WriteString(root.Long + "\n\nThe flags of all commands:\n\n")
	fmt.Fprintf(&b, "```\n%s```\n", root.PersistentFlags().FlagUsages())
	for _, cmd := range root.Commands() {
		document(&b, cmd)
	}
	path := filepath.Join("..", "..", "docs", "commands.md")
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(want, b.Bytes()) {
		t.Errorf("docs/commands.md is not what the commands say (%v): make generate", err)
	}
}

func document(b *bytes.Buffer, cmd *cobra.Command) {
	if cmd.Hidden || cmd.Name() == "help" {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", cmd.CommandPath())
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(b, "%s\n", strings.TrimSpace(text))
	if cmd.Runnable() {
		fmt.Fprintf(b, "\n```\n%s\n", cmd.UseLine())
		if flags := cmd.NonInheritedFlags().FlagUsages(); flags != "" {
			fmt.Fprintf(b, "\n%s", flags)
		}
		b.WriteString("```\n")
	}
	if cmd.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n"))
	}
	for _, sub := range cmd.Commands() {
		document(b, sub)
	}
}

// TestExamples: every command has an example, except help and completion, which are cobra's. Each example is a command that
// there is, with flags that it has.
func TestExamples(t *testing.T) {
	root := (&cli{terminal: &terminal{}}).root()
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		if cmd.Example == "" && cmd != root && cmd.Name() != "help" && cmd.Name() != "completion" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
				continue // it describes the next one
			}
			if _, command, ok := strings.Cut(line, "=$("); ok {
				line = strings.TrimSuffix(command, ")")
			}
			for part := range strings.SplitSeq(line, " && ") {
				words := strings.Fields(part)
				if len(words) < 2 || words[0] != "pipec" {
					t.Errorf("%s: the example %q is not a command of pipec", cmd.Name(), line)
					continue
				}
				found, rest, err := root.Find(words[1:])
				if err != nil || found == root {
					t.Errorf("%s: the example %q: %v", cmd.Name(), line, err)
					continue
				}
				for _, word := range rest {
					name, _, _ := strings.Cut(word, "=")
					if long, ok := strings.CutPrefix(name, "--"); ok && found.Flag(long) == nil {
						t.Errorf("%s: the example %q: there is no flag %s", cmd.Name(), line, name)
					}
				}
			}
		}
		for _, sub := range cmd.Commands() {
			check(sub)
		}
	}
	check(root)
}
