package step

import (
	"archive/zip"
	"bytes"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// The archive contains every module, sorted, uncompressed and without times: its bytes depend on the sources only.
func TestRunnerArchive(t *testing.T) {
	data, err := runnerArchive()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	var whole strings.Builder
	for _, f := range archive.File {
		if f.Method != zip.Store || f.ModifiedDate != 0 || f.ModifiedTime != 0 {
			t.Errorf("%s: method %d, date %d", f.Name, f.Method, f.ModifiedDate)
		}
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		source, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if lines := bytes.Count(source, []byte("\n")); lines > 150 {
			t.Errorf("%s has %d lines", f.Name, lines)
		}
		whole.Write(source)
		whole.WriteByte(0)
	}
	if !slices.IsSorted(names) || names[0] != "__main__.py" || !slices.Contains(names, "_pipec_runner/main.py") || len(names) < 10 {
		t.Errorf("%q", names)
	}
	for _, name := range names[1:] {
		if !strings.HasPrefix(name, "_pipec_runner/") {
			t.Errorf("%s could be in the way of a module of the user's", name)
		}
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "-c", `import ast, sys
for source in sys.stdin.read().split("\0"):
    ast.parse(source, feature_version=(3, 8))`)
	cmd.Stdin = strings.NewReader(strings.TrimSuffix(whole.String(), "\x00"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("it is not written in the Python of 3.8: %s", out)
	}
}
