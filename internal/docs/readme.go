package docs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/emit/graph"
	"pipec.dev/pipec/schema/program"
)

// The marks around the graphs of an example's project in its README.
const (
	graphStart = "<!-- graph: made by `make generate` -->\n"
	graphEnd   = "<!-- end -->\n"
)

// Readme returns the README of an example with the current graphs of its pipelines.
func Readme(dir string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		return nil, err
	}
	before, rest, found := bytes.Cut(text, []byte(graphStart))
	_, after, closed := bytes.Cut(rest, []byte(graphEnd))
	if !found || !closed {
		return nil, fmt.Errorf("%s has no marks for the graph", dir)
	}
	programs, err := compiled(dir)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Write(before)
	b.WriteString(graphStart)
	for _, p := range programs {
		b.WriteString("```mermaid\n")
		if err := graph.Mermaid(&b, p); err != nil {
			return nil, err
		}
		b.WriteString("```\n")
	}
	b.WriteString(graphEnd)
	b.Write(after)
	return b.Bytes(), nil
}

// digits draws the pipeline of examples/digits. It finds the example relative to this package's directory, where its test
// runs.
func digits(w io.Writer) error {
	programs, err := compiled(filepath.Join("..", "..", "examples", "digits"))
	if err != nil {
		return err
	}
	return graph.SVG(w, programs[0])
}

// compiled returns the programs of an example, for the stack "local".
func compiled(dir string) ([]*program.Program, error) {
	r, err := compiler.Compile(compiler.Options{Dir: dir, Stack: "local"})
	if err != nil {
		return nil, err
	}
	if r.Diags.Len() > 0 { // an example must have no warnings
		var b bytes.Buffer
		if err := diag.Human(&b, diag.NewView(r.Diags.Sorted(), r.Sources), diag.Options{}); err != nil {
			return nil, err
		}
		return nil, errors.New(b.String())
	}
	return r.Programs, nil
}
