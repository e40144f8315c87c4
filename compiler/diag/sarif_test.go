package diag

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"
)

const schemaFile = "testdata/sarif/sarif-schema-2.1.0.json"

// sarifSchemaOf returns the schema of SARIF 2.1.0 as its committee publishes it.
func sarifSchemaOf(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("sarif.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wellFormed checks that the SARIF output of a view fits the schema, and that its JUnit output is XML.
func wellFormed(t *testing.T, v *View) {
	t.Helper()
	keeps(t, sarifSchemaOf(t), v)
}

func keeps(t rapid.TB, schema *jsonschema.Schema, v *View) {
	t.Helper()
	var b bytes.Buffer
	if err := SARIF(&b, v, Options{Version: "v1.2.3"}); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(doc); err != nil {
		t.Fatalf("%v\n%s", err, b.Bytes())
	}
	b.Reset()
	if err := JUnit(&b, v, Options{}); err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(&b); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	b.Reset()
	if err := GitHub(&b, v, Options{}); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b.Bytes(), []byte("\n")); n != len(v.Diagnostics) {
		t.Fatalf("%d lines for %d diagnostics:\n%s", n, len(v.Diagnostics), b.Bytes())
	}
}

// TestSchemaRefuses checks that the schema rejects JSON that is not SARIF.
func TestSchemaRefuses(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(`{"version": "2.1.0", "runs": [{"results": []}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := sarifSchemaOf(t).Validate(doc); err == nil {
		t.Error("a run without a tool passes")
	}
}

// TestFormatsOfAnything checks that every format stays well-formed for arbitrary texts and ranges.
func TestFormatsOfAnything(t *testing.T) {
	schema := sarifSchemaOf(t)
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "a\nb", "::error::x", "%0A", "<a>&\"'", "\x00\xff\u202e", "a,b:c"}))
	pos := rapid.Custom(func(t *rapid.T) hcl.Pos {
		return hcl.Pos{Line: rapid.IntRange(0, 5).Draw(t, "line"), Column: rapid.IntRange(0, 9).Draw(t, "column"), Byte: rapid.IntRange(0, 40).Draw(t, "byte")}
	})
	at := rapid.Custom(func(t *rapid.T) hcl.Range {
		name := rapid.SampledFrom([]string{"", "a.hcl", "dir x/b%.hcl", "/abs/c.hcl", "c:d.hcl"}).Draw(t, "file")
		return hcl.Range{Filename: name, Start: pos.Draw(t, "start"), End: pos.Draw(t, "end")}
	})
	rapid.Check(t, func(t *rapid.T) {
		var list List
		for range rapid.IntRange(0, 3).Draw(t, "diagnostics") {
			d := New(rapid.SampledFrom([]string{"unused", "missing", "of-a-rule"}).Draw(t, "code"), at.Draw(t, "at"), "%s", text.Draw(t, "summary"))
			d = d.WithDetail("%s", text.Draw(t, "detail")).WithRelated(at.Draw(t, "related"), "%s", text.Draw(t, "message"))
			if rapid.Bool().Draw(t, "fix") {
				d = d.WithFix(at.Draw(t, "fixed"), text.Draw(t, "text"))
			}
			list.Add(d)
		}
		keeps(t, schema, NewView(list.Sorted(), map[string][]byte{"a.hcl": []byte("a = 1\nb = \"x\"\n")}))
	})
}

// TestMask checks that masked text is in no line that is shown, and that all other text keeps its position.
func TestMask(t *testing.T) {
	src := []byte("a = \"s3cret\"\nb = \"wörds\"\nc = <<E\none\ntwo\nE\n")
	sources := map[string][]byte{"a.hcl": src}
	secret := hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 1, Column: 5, Byte: 4}, End: hcl.Pos{Line: 1, Column: 13, Byte: 12}}
	lines := hcl.Range{Filename: "a.hcl", Start: hcl.Pos{Line: 3, Column: 5, Byte: 30}, End: hcl.Pos{Line: 5, Column: 4, Byte: 41}}
	other := hcl.Range{Filename: "gone.hcl", Start: hcl.InitialPos, End: hcl.InitialPos}
	got := Mask(sources, []hcl.Range{secret, lines, other})["a.hcl"]
	if want := "a = ********\nb = \"wörds\"\nc = ***\n***\n***\nE\n"; string(got) != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if !bytes.Contains(sources["a.hcl"], []byte("s3cret")) {
		t.Error("the source itself was changed")
	}
}
