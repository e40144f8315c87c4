// Package programtest has the programs of the compiler's golden files, for tests of what reads programs. It compiles nothing.
package programtest

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Golden is the JSON of each program that the golden files of a directory hold, in the order of the files.
func Golden(t testing.TB, dir string) []json.RawMessage {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	var out []json.RawMessage
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range a.Files {
			if part.Name != "program" {
				continue
			}
			for dec := json.NewDecoder(bytes.NewReader(part.Data)); dec.More(); {
				var p json.RawMessage
				if err := dec.Decode(&p); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				out = append(out, p)
			}
		}
	}
	return out
}
