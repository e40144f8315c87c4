package lsp_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pieces are what is typed at random places: what opens and closes, what is half of something, other scripts.
var pieces = []string{
	"{", "}", "[", "]", "(", ")", "\"", "${", "%{", "<<EOT\n", "EOT\n", "/*", "*/", "#", "=", ".", ",", "\n", "\r\n", " ", "-", "?", ":",
	"step", "step.", "step.importer.", "param.gamma", "var.", "local.x", "input.model.path", "output.model.path", "each.key",
	"step \"x\" {\n", "input \"y\" {\n value = ", "type = list(", "for x in ", "if", "null", "true", "0", "1e9", "𝄞", "ä", "\x00", "\t",
	"- ", ": ", "'", "|\n", "step:\n", "  a:\n", "\n      ", "&a ", "*a", "value: ", "<<: *a\n", "{x: ", "${step.sales.",
	"locals {\n  x = 1\n}\n", "pipeline \"p\" {\n  step \"s\" {\n    command = [\"a\"]\n  }\n}\n", "orchestrator \"local\" {}\n", "retry {}\n",
}

// TestRandomEdits types at random into an example. The server must survive and answer, and its last diagnostics must be
// those of `pipec lint` for the same texts.
func TestRandomEdits(t *testing.T) {
	for _, example := range []string{"digits", "shell", "notify"} {
		t.Run(example, func(t *testing.T) { randomEdits(t, example) })
	}
}

func randomEdits(t *testing.T, example string) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c := launch(t, dir)
	c.initialize(everything)
	if err := os.CopyFS(c.dir, os.DirFS(filepath.Join("../../examples", example))); err != nil {
		t.Fatal(err)
	}
	var names []string
	files, _ := filepath.Glob(c.path("*.pipec.*"))
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	good := map[string]string{}
	for _, name := range names {
		src, err := os.ReadFile(c.path(name))
		if err != nil {
			t.Fatal(err)
		}
		good[name] = string(src)
		c.open(name, good[name])
	}
	rapid.Check(t, func(rt *rapid.T) {
		for _, name := range names {
			c.changed(name, good[name], object{"text": good[name]})
		}
		for range rapid.IntRange(1, 8).Draw(rt, "edits") {
			name := rapid.SampledFrom(names).Draw(rt, "file")
			text := c.texts[name]
			start := boundary(text, rapid.IntRange(0, len(text)).Draw(rt, "start"))
			end := boundary(text, min(len(text), start+rapid.SampledFrom([]int{0, 0, 1, 3, 20, 200}).Draw(rt, "length")))
			piece := rapid.SampledFrom(pieces).Draw(rt, "piece")
			at := span{place(text, start), place(text, end)}
			c.changed(name, text[:start]+piece+text[end:], object{"range": at, "text": piece})
			method := rapid.SampledFrom([]string{"hover", "completion", "definition", "references", "prepareRename", "documentSymbol", "formatting", "signatureHelp", "codeAction"}).Draw(rt, "method")
			m := c.answer(c.request("textDocument/"+method, object{"textDocument": object{"uri": c.uri(name)}, "position": at.Start, "range": at, "context": object{}}))
			if m.Error != nil && m.Error.Code != -32803 {
				rt.Fatalf("%s: %+v\n%s\n%s", method, m.Error, c.texts[name], c.stderr)
			}
		}
		for _, name := range names { // bytes, not clusters of characters, are what an editor has written
			c.write(name, c.texts[name])
		}
		if got, want := c.shown(names), validated(t, c, names); !slices.Equal(got, want) {
			rt.Fatalf("the editor shows\n%s\nlint tells\n%s\nof\n%q", strings.Join(got, "\n"), strings.Join(want, "\n"), c.texts)
		}
	})
	if status := c.end(); status != 0 || strings.Contains(c.stderr.String(), "panic") {
		t.Errorf("exit status %d\n%s", status, c.stderr)
	}
}

// boundary is the nearest offset before one that no character is cut by, and no end of a line.
func boundary(text string, offset int) int {
	for offset > 0 && offset < len(text) && (text[offset]&0xc0 == 0x80 || text[offset] == '\n' && text[offset-1] == '\r') {
		offset--
	}
	return offset
}

// shown returns the diagnostics of the latest versions of all files, as text.
func (c *client) shown(names []string) []string {
	c.t.Helper()
	latest := map[string][]diagnostic{}
	for _, name := range names { // all versions are published together, and the last ones last
		latest[name] = c.diagnostics(name)
	}
	c.notify("textDocument/didSave", object{"textDocument": object{"uri": c.uri(names[0])}})
	c.later = nil
	for _, name := range names {
		latest[name] = c.diagnostics(name)
	}
	var out []string
	for _, name := range names {
		for _, d := range latest[name] {
			out = append(out, fmt.Sprintf("%s %v %d %s %s", name, d.Range, d.Severity, d.Code, d.Message))
		}
	}
	return out
}

// validated returns the diagnostics of `pipec lint`, in the form of shown.
func validated(t *testing.T, c *client, names []string) []string {
	t.Helper()
	cmd := exec.Command(pipec(t), "lint", "-C", c.dir, "--format", "json")
	cmd.Env = append(os.Environ(), "PIPEC_STACK=", "CI=")
	data, _ := cmd.Output()
	type pos struct{ Line, Column, Byte int }
	var v struct {
		Diagnostics []struct {
			Severity, Code, Summary, Detail, Suggestion string
			Range                                       *struct {
				Filename   string
				Start, End pos
			}
		}
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	out := map[string][]string{}
	for _, d := range v.Diagnostics {
		name, at := names[0], span{}
		if d.Range != nil {
			name = filepath.Base(d.Range.Filename)
			text := strings.ReplaceAll(c.texts[name], "\r\n", "\n")
			at = span{place(text, d.Range.Start.Byte), place(text, max(d.Range.Start.Byte, d.Range.End.Byte))}
		}
		message := strings.Join(slices.DeleteFunc([]string{d.Summary, d.Detail, d.Suggestion}, func(s string) bool { return s == "" }), "\n")
		severity := map[string]int{"error": 1, "warning": 2, "note": 3}[d.Severity]
		out[name] = append(out[name], fmt.Sprintf("%s %v %d %s %s", name, at, severity, d.Code, message))
	}
	var all []string
	for _, name := range names {
		all = append(all, out[name]...)
	}
	return all
}
