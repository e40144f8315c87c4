package diag

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write what is printed into the golden files")

// TestGolden prints each archive of testdata. An archive contains sources, and in "diags" the diagnostics; without "diags",
// HCL parses the sources and reports them. "human", "json" and the other formats are the expected output; the formats that
// an archive contains are compared. The SARIF output is checked against SARIF's schema, and the JUnit output is parsed as
// XML. The archive's comment may set width=N, limit=N and color=true.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a := txtar.Parse(data)
			sources := map[string][]byte{}
			var list List
			for _, f := range a.Files {
				if f.Name == "diags" {
					list.Add(parseDiags(t, f.Data)...)
				} else if Formats[f.Name] == nil {
					sources[f.Name] = unescape(t, f)
				}
			}
			if list.Len() == 0 {
				for name, text := range sources {
					_, diags := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
					list.Add(FromHCL(diags, sources)...)
				}
			}
			view := NewView(list.Sorted(), sources)
			for i, f := range a.Files {
				if Formats[f.Name] == nil {
					continue
				}
				var out bytes.Buffer
				if err := Formats[f.Name](&out, view, options(t, a.Comment)); err != nil {
					t.Fatal(err)
				}
				got := strings.ReplaceAll(out.String(), "\x1b", "<ESC>")
				if *update {
					a.Files[i].Data = []byte(got)
				} else if got != string(f.Data) {
					t.Errorf("%s: got\n%s\nwant\n%s", f.Name, got, f.Data)
				}
			}
			wellFormed(t, view)
			if *update {
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func options(t *testing.T, comment []byte) Options {
	var o Options
	for _, field := range strings.Fields(string(comment)) {
		name, value, ok := strings.Cut(field, "=")
		n, err := strconv.Atoi(value)
		switch {
		case !ok:
			continue // prose
		case name == "width" && err == nil:
			o.Width = n
		case name == "limit" && err == nil:
			o.Limit = n
		case name == "color":
			o.Color = value == "true"
		default:
			t.Fatalf("unknown option %q", field)
		}
	}
	return o
}

// unescape gives a source its bytes: a file NAME.quoted is a Go string literal a line, without a newline of its own.
func unescape(t *testing.T, f txtar.File) []byte {
	if !bytes.HasPrefix(f.Data, []byte(`"`)) || !strings.HasSuffix(f.Name, ".quoted") {
		return f.Data
	}
	var out []byte
	for _, line := range strings.Split(strings.TrimSpace(string(f.Data)), "\n") {
		text, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("%s: %v: %s", f.Name, err, line)
		}
		out = append(out, text...)
	}
	return out
}

// parseDiags reads "code file:1,2-3 summary", with lines "detail …", "help …", "fix range text" and "related range text"
// indented below it. A "-" for the range means no range.
func parseDiags(t *testing.T, data []byte) []Diagnostic {
	var out []Diagnostic
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		if !strings.HasPrefix(line, " ") {
			f := strings.SplitN(line, " ", 3)
			out = append(out, New(f[0], parseRange(t, f[1]), "%s", f[2]))
			continue
		}
		d := &out[len(out)-1]
		what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		at, text, _ := strings.Cut(rest, " ")
		switch what {
		case "detail":
			*d = d.WithDetail("%s", strings.ReplaceAll(rest, `\n`, "\n"))
		case "help":
			*d = d.WithSuggestion("%s", rest)
		case "related":
			*d = d.WithRelated(parseRange(t, at), "%s", text)
		case "fix":
			text, err := strconv.Unquote(text)
			if err != nil {
				t.Fatal(err)
			}
			*d = d.WithFix(parseRange(t, at), text)
		default:
			t.Fatalf("unknown line %q", line)
		}
	}
	return out
}

func parseRange(t *testing.T, s string) hcl.Range {
	if s == "-" {
		return hcl.Range{}
	}
	m := place.FindStringSubmatch(" at " + s)
	if m == nil {
		t.Fatalf("no range: %q", s)
	}
	var n [4]int
	for i := range n {
		n[i], _ = strconv.Atoi(m[i+2])
	}
	if n[2] == 0 {
		n[2] = n[0]
	}
	return hcl.Range{
		Filename: m[1],
		Start:    hcl.Pos{Line: n[0], Column: n[1], Byte: -1},
		End:      hcl.Pos{Line: n[2], Column: n[3], Byte: -1},
	}
}
