package lsp_test

import (
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// TestEncodings: the same change and the same place, as each encoding counts them. The text has characters of one to
// four bytes, and one of two UTF-16 units.
func TestEncodings(t *testing.T) {
	const line = `  a = "ä€𝄞" == var.nope ? 1 : 2`
	before := strings.Index(line, "var")
	for name, units := range map[string]int{
		"utf-8":  before,
		"utf-16": len(utf16.Encode([]rune(line[:before]))),
		"utf-32": utf8.RuneCountInString(line[:before]),
	} {
		for _, newline := range []string{"\n", "\r\n"} {
			t.Run(name, func(t *testing.T) {
				c := launch(t, t.TempDir())
				c.initialize(object{"general": object{"positionEncodings": []string{name}}})
				text := strings.Join([]string{"# 𝄞", "locals {", line, "}", ""}, newline)
				ds := c.open("a.pipec.hcl", text)
				want := span{position{2, units}, position{2, units + len("var.nope")}}
				if codes(ds) != "3:unknown-reference" || ds[0].Range != want {
					t.Fatalf("%s at %+v, not at %+v", codes(ds), ds, want)
				}
				// nope becomes 𝄞: a character that is not allowed in a name; then it is corrected, in one message.
				c.changed("a.pipec.hcl", "", object{"range": span{position{2, units + 4}, want.End}, "text": "𝄞"})
				if ds := c.diagnostics("a.pipec.hcl"); !strings.Contains(codes(ds), "3:") {
					t.Errorf("%s", codes(ds))
				}
				wide := map[string]int{"utf-8": 4, "utf-16": 2, "utf-32": 1}[name]
				c.changed("a.pipec.hcl", "",
					object{"range": span{position{2, units}, position{2, units + 4 + wide}}, "text": "local.b"},
					object{"range": span{position{3, 0}, position{3, 0}}, "text": "  b = \"ä€𝄞\"" + newline})
				if ds := c.diagnostics("a.pipec.hcl"); codes(ds) != "3:unused" {
					t.Errorf("%s", codes(ds))
				}
				var at location
				c.call("textDocument/definition", object{"textDocument": object{"uri": c.uri("a.pipec.hcl")}, "position": position{2, units + 6}}, &at)
				if at.Range != (span{position{3, 2}, position{3, 3}}) {
					t.Errorf("%+v", at)
				}
				c.end()
			})
		}
	}
}

// TestOutside: ranges that are not in the document are brought to its nearest place.
func TestOutside(t *testing.T) {
	c := start(t, nil)
	c.open("a.pipec.hcl", "locals {\n")
	c.changed("a.pipec.hcl", "",
		object{"range": span{position{99, 7}, position{120, 0}}, "text": "}\n"},
		object{"range": span{position{0, 500}, position{0, 600}}, "text": "\n  a = 1"},
		object{"range": span{position{2, 0}, position{1, 0}}, "text": ""},
		object{"range": span{position{-1, -4}, position{0, 0}}, "text": "# x\n"})
	if ds := c.diagnostics("a.pipec.hcl"); codes(ds) != "3:unused" {
		t.Errorf("%+v", ds)
	}
	for _, at := range []position{{99, 0}, {0, 999}, {-1, -1}} {
		for _, method := range []string{"hover", "completion", "definition", "references", "documentHighlight", "signatureHelp"} {
			if m := c.answer(c.request("textDocument/"+method, object{"textDocument": object{"uri": c.uri("a.pipec.hcl")}, "position": at})); m.Error != nil {
				t.Errorf("%s at %v: %+v", method, at, m.Error)
			}
		}
	}
	c.end()
}
