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
