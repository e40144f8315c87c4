package graph

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/rogpeppe/go-internal/txtar"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
)

var update = flag.Bool("update", false, "write what is drawn into the golden files")

// archives returns the programs of testdata.
func archives(t *testing.T, do func(t *testing.T, file string, a *txtar.Archive, p *program.Program)) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p, err := program.Decode(a.Files[0].Data)
			if err != nil {
				t.Fatal(err)
			}
			do(t, file, a, p)
		})
	}
}

func draw(t interface {
	Fatal(...any)
	Helper()
}, format string, p *program.Program) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Formats[format](&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestGolden draws the first program of each archive, in each format that the archive contains.
func TestGolden(t *testing.T) {
	archives(t, func(t *testing.T, file string, a *txtar.Archive, p *program.Program) {
		for i, f := range a.Files[1:] {
			got := draw(t, f.Name, p)
			if *update {
				a.Files[i+1].Data = got
			} else if !bytes.Equal(got, f.Data) {
				t.Errorf("%s: got\n%s\nwant\n%s", f.Name, got, f.Data)
			}
		}
		if *update {
			if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestDOT passes DOT output to Graphviz, if it is installed.
func TestDOT(t *testing.T) {
	dot, err := exec.LookPath("dot")
	if err != nil {
		t.Skip("Graphviz is not installed")
	}
	archives(t, func(t *testing.T, _ string, _ *txtar.Archive, p *program.Program) {
		cmd := exec.Command(dot, "-Tplain")
		cmd.Stdin = bytes.NewReader(draw(t, "dot", p))
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil || stderr.Len() > 0 {
			t.Fatal(err, stderr.String())
		}
		nodes := bytes.Count(out, []byte("\nnode "))
		if want := len(p.Steps) + len(p.Finally) + len(p.Outputs); nodes != want {
			t.Errorf("dot reads %d nodes, want %d", nodes, want)
		}
	})
}

// checkXML parses a picture as XML, and counts its steps and edges.
func checkXML(svg []byte) (steps, edges int, err error) {
	for dec := xml.NewDecoder(bytes.NewReader(svg)); ; {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return steps, edges, nil
		}
		if err != nil {
			return 0, 0, err
		}
		if el, ok := tok.(xml.StartElement); ok && el.Name.Local == "g" {
			for _, a := range el.Attr {
				class, rest, _ := strings.Cut(a.Value, " ")
				switch {
				case a.Name.Local == "class" && class == "step":
					steps++
				case a.Name.Local == "class" && class == "edge" && rest != "":
					edges++
				}
			}
		}
	}
}

// generate returns an arbitrary program, including names that the compiler would reject.
func generate(t *rapid.T) *program.Program {
	p := &program.Program{Version: 1, Pipeline: rapid.String().Draw(t, "pipeline")}
	name := rapid.OneOf(rapid.StringMatching(`[a-z]{1,3}`), rapid.String())
	names := rapid.SliceOfNDistinct(name, 0, 12, rapid.ID).Draw(t, "names")
	for i, n := range names {
		s := program.Step{Name: n, Retry: program.Retry{Attempts: rapid.IntRange(0, 3).Draw(t, "attempts")}}
		for _, o := range rapid.SliceOfN(name, 0, 3).Draw(t, "outputs") {
			s.Outputs = append(s.Outputs, program.Output{Name: o, Type: rapid.String().Draw(t, "type")})
		}
		for range rapid.IntRange(0, 3).Draw(t, "needs") {
			other := rapid.SampledFrom(names).Draw(t, "other")
			kind := rapid.SampledFrom([]program.NeedKind{program.NeedOutput, program.NeedOrder, program.NeedSoft, program.NeedStatus}).Draw(t, "kind")
			s.Needs = append(s.Needs, program.Need{Step: other, Kind: kind})
			s.Inputs = append(s.Inputs, program.Input{Name: name.Draw(t, "input"), Value: program.Value{Ref: "step." + other + "." + name.Draw(t, "output")}})
		}
		if i%5 == 4 {
			p.Finally = append(p.Finally, s)
		} else {
			p.Steps = append(p.Steps, s)
		}
	}
	return p
}

// TestAnyProgram: every program has a picture, which is the same each time and contains all steps.
func TestAnyProgram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := generate(t)
		for format := range Formats {
			first := draw(t, format, p)
			if !bytes.Equal(first, draw(t, format, p)) {
				t.Fatalf("%s is not the same each time", format)
			}
			for _, r := range string(first) {
				if r != '\n' && unicode.IsControl(r) {
					t.Fatalf("%s holds a raw %U", format, r)
				}
			}
		}
		steps, _, err := checkXML(draw(t, "svg", p))
		if err != nil {
			t.Fatal(err)
		}
		if want := len(p.Steps) + len(p.Finally); steps != want {
			t.Fatalf("the picture has %d steps, want %d", steps, want)
		}
	})
}

// TestLayout: boxes never overlap, and edges point to the right.
func TestLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(generate(t))
		boxes, detailed := m.boxes()
		heights := make([]int, len(boxes))
		for i, b := range boxes {
			heights[i] = b.height
		}
		l := newLayout(m, heights, m.wires(boxes, detailed), boxGap)
		for _, layer := range l.layers {
			for k := 1; k < len(layer); k++ {
				above, below := l.items[layer[k-1]], l.items[layer[k]]
				if above.y+above.height+boxGap > below.y {
					t.Fatalf("an item at %d with height %d, and one at %d", above.y, above.height, below.y)
				}
			}
		}
		for _, s := range l.segments {
			if l.items[s.to].layer != l.items[s.from].layer+1 {
				t.Fatal("a segment joins layers that are no neighbours")
			}
		}
		for _, it := range l.items {
			if it.y < 0 {
				t.Fatal("an item lies outside of the picture")
			}
		}
	})
}

// grid returns a program of layers, in which each step has two inputs from the layer before.
func grid(layers, width int) *program.Program {
	p := &program.Program{Version: 1, Pipeline: "grid"}
	for l := range layers {
		for i := range width {
			s := program.Step{Name: fmt.Sprintf("step_%04d_%04d", l, i), Outputs: []program.Output{{Name: "data", Type: "dataframe"}}}
			for k := range 2 {
				if l > 0 {
					from := fmt.Sprintf("step_%04d_%04d", l-1, (i*7+k*3)%width)
					s.Needs = append(s.Needs, program.Need{Step: from, Kind: program.NeedOutput})
					s.Inputs = append(s.Inputs, program.Input{Name: fmt.Sprint("in", k), Value: program.Value{Ref: "step." + from + ".data"}})
				}
			}
			p.Steps = append(p.Steps, s)
		}
	}
	return p
}

// chain returns a program in which each step waits for the one before, and the last step for all.
func chain(n int) *program.Program {
	p := &program.Program{Version: 1, Pipeline: "chain"}
	for i := range n {
		s := program.Step{Name: fmt.Sprintf("step_%05d", i)}
		for k := range i {
			if i == n-1 || k == i-1 {
				s.Needs = append(s.Needs, program.Need{Step: fmt.Sprintf("step_%05d", k), Kind: program.NeedOrder})
			}
		}
		p.Steps = append(p.Steps, s)
	}
	return p
}

// TestLarge draws ten thousand steps, wide and deep. Quadratic code would not finish, or exhaust the memory.
func TestLarge(t *testing.T) {
	for name, p := range map[string]*program.Program{"grid": grid(100, 100), "wide": grid(2, 5000), "chain": chain(10_000)} {
		for format := range Formats {
			out := draw(t, format, p)
			if len(out) > 20<<20 {
				t.Errorf("%s: %s has %d bytes", name, format, len(out))
			}
			if format != "svg" {
				continue
			}
			needs := 0
			for _, s := range p.Steps {
				needs += len(s.Needs)
			}
			steps, edges, err := checkXML(out)
			if err != nil || steps != 10_000 || edges != needs {
				t.Errorf("%s: %d steps, %d edges of %d, %v", name, steps, edges, needs, err)
			}
		}
	}
}

func BenchmarkSVG(b *testing.B) {
	for _, n := range []int{4, 100, 1000, 10_000} {
		p := grid(max(1, n/100), min(n, 100))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				if err := SVG(io.Discard, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzFormats draws everything that can be decoded as a program.
func FuzzFormats(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := program.Decode(data)
		if err != nil {
			return
		}
		for format := range Formats {
			out := draw(t, format, p)
			if format == "svg" {
				if _, _, err := checkXML(out); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
