package compiler_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/compiler"
)

// TestFixOfYAML checks that a fix that is offered as certain for unreadable text makes the text readable beyond that
// position.
func TestFixOfYAML(t *testing.T) {
	dir, fixes := t.TempDir(), 0
	compile := func(t *rapid.T, src string) *compiler.Result {
		r, err := compiler.Compile(compiler.Options{Dir: dir, Unsaved: map[string][]byte{"a.pipec.yaml": []byte(src)}})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		item := rapid.StringMatching(`[ab](b| |'|:|=|\*)*b(\{a\}|\[b, a\]|\(b\)|\{| b|'){1,4}`).Draw(t, "item")
		src := "pipeline:\n  p:\n    step:\n      s:\n        command: [x, " + item + ", y]\n"
		for _, d := range compile(t, src).Diags.Sorted() {
			if d.Code != "syntax" || d.Fix == nil {
				continue
			}
			fixes++
			at := d.Fix.Range
			fixed := src[:at.Start.Byte] + d.Fix.Text + src[at.End.Byte:]
			for _, left := range compile(t, fixed).Diags.Sorted() {
				if (left.Code == "syntax" || strings.Contains(left.Summary, "quote")) && left.Range.Start.Byte < at.Start.Byte+len(d.Fix.Text) {
					t.Fatalf("%s\nis mended to\n%s\nand then: %s", src, fixed, left.Summary)
				}
			}
		}
	})
	if fixes == 0 {
		t.Error("nothing is mended")
	}
}
