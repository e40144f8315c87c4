package lint

import (
	"strings"
	"testing"
)

// TestYAMLComments: in the source, exactly the comments are in capitals.
func TestYAMLComments(t *testing.T) {
	const src = `# COMMENT one
pipeline: # COMMENT two
  p:
    description: don't # COMMENT three
    url: http://x/#anchor
    quoted: "a # b \" # c" # COMMENT four
    single: 'it''s # not' # COMMENT five
    many: "lines
      # of text"
    flow: [a, 'x # y', "z"] # COMMENT six
    script: | # COMMENT seven
      echo a
      # no comment

      echo b
    # COMMENT eight
    folded: >-
      # no comment
    steps:
      - run: |
          # no comment
        name: x # COMMENT nine
      - |
        # no comment
      - - a # COMMENT ten
    pipe: a | b
    # COMMENT élève
    end: x|
    # COMMENT twelve
`
	got := yamlComments("x.pipec.yaml", []byte(src))
	want := 0
	for i, line := range strings.Split(src, "\n") {
		at := strings.Index(line, "# COMMENT")
		if at < 0 {
			continue
		}
		if want >= len(got) {
			t.Fatalf("the comment of line %d is not found", i+1)
		}
		c := got[want]
		want++
		if c.Range.Start.Line != i+1 || c.Range.Start.Column != len([]rune(line[:at]))+1 || string(src[c.Range.Start.Byte:c.Range.End.Byte]) != line[at:] ||
			"# "+c.Text != line[at:] || c.Alone != (strings.TrimSpace(line[:at]) == "") {
			t.Errorf("line %d: %+v", i+1, c)
		}
	}
	if len(got) > want {
		t.Errorf("more than %d: %+v", want, got[want:])
	}
}

// FuzzYAMLComments: for any source, comments are inside of it, in order, and each is on one line.
func FuzzYAMLComments(f *testing.F) {
	f.Add([]byte("a: |\n  b\n- - |\n # c\n"))
	f.Add([]byte("- \"\\\n# x\n'"))
	f.Fuzz(func(t *testing.T, src []byte) {
		last := 0
		for _, c := range yamlComments("x", src) {
			if c.Range.Start.Line <= last || c.Range.End.Byte > len(src) || src[c.Range.Start.Byte] != '#' {
				t.Fatalf("%+v", c)
			}
			last = c.Range.Start.Line
		}
	})
}
