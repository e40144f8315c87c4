package language

import (
	"slices"
	"strings"
	"testing"
)

// all returns every block of the language.
func all(b *Block) []*Block {
	out := []*Block{b}
	for _, n := range b.Blocks {
		out = append(out, all(n)...)
	}
	return out
}

// TestForeign checks the table of foreign words: each entry names something that some block has, and no word is in that block itself.
func TestForeign(t *testing.T) {
	blocks := all(Root())
	for _, f := range foreign() {
		for _, name := range strings.Fields(f.blocks) {
			found := false
			for _, b := range blocks {
				if blockName(b) != name || b.Attribute(f.name) == nil && b.Block(f.name) == nil {
					continue
				}
				found = true
				for _, word := range strings.Fields(f.words) {
					if b.Attribute(word) != nil || b.Block(word) != nil {
						t.Errorf("%s has %s itself, which is listed as a foreign word for %s", name, word, f.name)
					}
					if word != strings.ToLower(word) || strings.ContainsAny(word, "_-") {
						t.Errorf("%s: write %q in lower case, without _ and -", f.name, word)
					}
				}
			}
			if !found {
				t.Errorf("no block %s has %s", name, f.name)
			}
		}
	}
}

// TestForeignOnce checks that a word means one thing in a block.
func TestForeignOnce(t *testing.T) {
	for _, b := range all(Root()) {
		var seen []string
		for _, f := range foreign() {
			if !slices.Contains(strings.Fields(f.blocks), blockName(b)) || b.Attribute(f.name) == nil && b.Block(f.name) == nil {
				continue
			}
			for _, word := range strings.Fields(f.words) {
				if slices.Contains(seen, word) {
					t.Errorf("%s: the word %s is listed twice", blockName(b), word)
				}
				seen = append(seen, word)
			}
		}
	}
}

func TestForeignSpelling(t *testing.T) {
	step := Root().Block("pipeline").Block("step")
	for word, want := range map[string]string{
		"if": "when", "dependsOn": "", "dependencies": "depends_on", "withItems": "for_each", "with-items": "for_each", "max_retries": "retry",
		"command": "", "": "", "nothing": "",
	} {
		if got := step.Foreign(word); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestMainAttribute(t *testing.T) {
	pipeline := Root().Block("pipeline")
	for _, c := range []struct {
		b    *Block
		want string
	}{
		{pipeline.Block("step"), "command"}, {pipeline.Block("step").Block("retry"), "attempts"}, {pipeline.Block("step").Block("output"), "type"},
		{pipeline.Block("output"), "value"}, {pipeline.Block("param"), "default"}, {pipeline.Block("schedule"), "cron"},
		{pipeline.Block("step").Block("resources"), ""}, {Root().Block("image"), "base"}, {Root().Block("code"), "dir"},
	} {
		got := ""
		if a := c.b.Main(); a != nil {
			got = a.Name
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.b.Name, got, c.want)
		}
	}
}
