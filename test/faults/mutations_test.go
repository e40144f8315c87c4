package faults

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var mutate = flag.Bool("mutations", false, "break the coordinator and the wrapper in many ways, and see that cells turn red")

// mutation is one wrong line. The cells that contain one of its texts are simulated.
type mutation struct {
	what, file, old, new string
	cells                string // "": a part of all cells
}

// TestMutations checks the simulation itself: each line that is made wrong must turn a cell red. It builds the tests once
// for each mutation, with the source of the file replaced, and simulates the cell that the page names. If that one is green,
// it looks for another one. With -update, it writes the cells that have turned red into the page. Without -mutations, it only
// checks that each mutation still fits its file. It prints the table of the page.
func TestMutations(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	missed := 0
	killed := killers(t)
	for _, m := range mutations {
		t.Run(strings.ReplaceAll(m.what, " ", "-"), func(t *testing.T) {
			patched := m.patch(t, root)
			if !*mutate {
				return
			}
			bin := build(t, root, m.file, patched)
			if k := killed[m.what]; confirmed(root, bin, k) {
				t.Logf("red, as before: %s: %s", k.cell, k.promise)
				return
			}
			args := []string{"-test.run=^TestFaults$", "-test.timeout=15m", "-first"}
			if m.cells != "" {
				args = append(args, "-all", "-cells="+m.cells)
			}
			cmd := exec.Command(bin, args...)
			cmd.Dir = filepath.Join(root, "test/faults")
			out, err := cmd.CombinedOutput()
			if err == nil {
				missed++
				t.Errorf("no cell is red: %s", m.what)
				return
			}
			k := firstRed(string(out))
			if k.cell == "" {
				t.Errorf("the simulation fails without a red cell: %.2000s", out)
				return
			}
			killed[m.what] = k
			t.Logf("red, as it should be: %s: %s", k.cell, k.promise)
		})
	}
	if *mutate {
		t.Logf("%d mutations, %d without a red cell", len(mutations), missed)
	}
	if *mutate && *update {
		writeKillers(t, killed)
	}
	t.Logf("mutations, and the first cells that turned red when they were tried last:\n%s%s", tableHead, rows(killed))
}

// confirmed reports whether a cell is still red, for the same promise, with the mutation that the tests were built with.
func confirmed(root, bin string, k killer) bool {
	if k.cell == "" || k.cell == "-" || k.promise == "dies" {
		return false
	}
	cmd := exec.Command(bin, "-test.run=^TestFaults$", "-test.timeout=5m", "-cell="+k.cell)
	cmd.Dir = filepath.Join(root, "test/faults")
	out, err := cmd.CombinedOutput()
	return err != nil && strings.Contains(string(out), " "+k.promise+": ")
}

// patch returns the source of the file with the wrong line.
func (m mutation) patch(t *testing.T, root string) string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		t.Fatalf("%s contains the line of the mutation %d times: %q", m.file, n, m.old)
	}
	return strings.Replace(string(source), m.old, m.new, 1)
}

// build compiles the tests with another source of one file.
func build(t *testing.T, root, name, source string) string {
	t.Helper()
	file, dir := filepath.Join(root, name), t.TempDir()
	patched, overlay, bin := filepath.Join(dir, "patched.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "faults.test")
	replaced, _ := json.Marshal(map[string]map[string]string{"Replace": {file: patched}})
	for path, data := range map[string][]byte{patched: []byte(source), overlay: replaced} {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", bin, "./test/faults")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("it doesn't build: %s\n%s", err, out)
	}
	return bin
}

// firstRed returns the first red cell that a run of the tests has printed.
func firstRed(out string) killer {
	before := ""
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if cell, ok := strings.CutPrefix(line, "make faults SEED='"); ok {
			if _, text, ok := strings.Cut(before, ".go:"); ok { // the place in the test, before the only promise
				_, before, _ = strings.Cut(text, ": ")
			}
			promise, _, _ := strings.Cut(before, ":")
			return killer{strings.TrimSuffix(cell, "'"), promise}
		}
		before = line
	}
	return killer{}
}
