package main

import (
	"bytes"
	"io"
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

// TestOutputOfEveryCommand: --output takes the same values everywhere, and refuses others before anything is done. Two commands
// write a file instead, whose name is given by -o.
func TestOutputOfEveryCommand(t *testing.T) {
	var found []string
	tree(testCLI().root(), func(cmd *cobra.Command) {
		f := cmd.Flags().ShorthandLookup("o")
		if f == nil || f.Name == "to" || strings.Contains(f.Usage, "FILE") {
			return
		}
		path := strings.TrimPrefix(cmd.CommandPath(), "pipec ")
		found = append(found, path)
		for _, format := range outputFormats {
			if f.Name != "output" || f.DefValue != outText || !strings.Contains(f.Usage, format) {
				t.Errorf("%s: -o is --%s, %q, with the default %s", path, f.Name, f.Usage, f.DefValue)
			}
		}
		c := testCLI()
		args := append(strings.Fields(path), "-o", "jsn")
		for range strings.Count(cmd.Use, " ") - strings.Count(cmd.Use, " [") {
			args = append(args, "x")
		}
		if path == "explain" || path == "artifacts diff" {
			args = append(strings.Fields(path), "-o", "jsn", "a", "b")
		}
		status, text := c.main(t.Context(), args), c.stderr.(*bytes.Buffer).String()
		if want := `there is no output "jsn": one of text, wide, json, yaml, name; did you mean "json"?`; status != exitUsage || !strings.Contains(text, want) {
			t.Errorf("%s: status %d, %s", path, status, text)
		}
	})
	want := strings.Fields("approve artifacts_diff artifacts_show artifacts backfill build cancel data_diff explain logs plan push rerun run runs stack_check stack_list stack_show version wait")
	for i := range want {
		want[i] = strings.ReplaceAll(want[i], "_", " ")
	}
	if !slices.Equal(found, want) {
		t.Errorf("commands with -o:\n%q\nexpected\n%q", found, want)
	}
}

// TestYAMLDocuments: each line of JSON becomes a document, however the lines are cut into writes.
func TestYAMLDocuments(t *testing.T) {
	var b bytes.Buffer
	w := (&outputFlag{format: outYAML}).stream(&b)
	for _, part := range []string{`{"a":`, "1}\n{\"b\":[true]}\n{\"c\":", "null}", "\n"} {
		if n, err := io.WriteString(w, part); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got, want := b.String(), "---\na: 1\n---\nb:\n- true\n---\nc: null\n"; got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}

// TestCompletionOfEveryFlag: a flag that takes a value completes it, unless the value is a file.
func TestCompletionOfEveryFlag(t *testing.T) {
	files := []string{
		"chdir", "var-file", "params", "init --from", "graph --output", "artifacts get --to", "emit --split", "plan --out", "apply --plan", "stack recipe --write",
		"stack up --template",
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
