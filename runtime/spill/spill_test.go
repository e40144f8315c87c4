package spill

import (
	"bytes"
	"os"
	"runtime"
	"testing"
)

// Kept values have their bytes, also after pages were given back to the system, and leave no file with a name.
func TestKeep(t *testing.T) {
	dir := t.TempDir()
	f := New(dir)
	var kept [][]byte
	value := func(i int) []byte { return bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 30_000+i) }
	const values = 1200 // two extents
	for i := range values {
		kept = append(kept, f.Keep(value(i)))
	}
	f.Release()
	for i, v := range kept {
		if !bytes.Equal(v, value(i)) {
			t.Fatalf("value %d has changed", i)
		}
	}
	if runtime.GOOS == "linux" && len(f.mapped) != 2 {
		t.Errorf("%d extents, want 2", len(f.mapped))
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("files are left: %v, %v", entries, err)
	}
}

// Small values, and all values if there is no file, stay in memory.
func TestKeepInMemory(t *testing.T) {
	small := bytes.Repeat([]byte("a"), minValue-1)
	if got := New(t.TempDir()).Keep(small); &got[0] != &small[0] {
		t.Error("a small value was moved")
	}
	f, large := New(t.TempDir()+"/none"), bytes.Repeat([]byte("a"), minValue)
	for range 2 {
		if got := f.Keep(large); &got[0] != &large[0] {
			t.Error("a value was moved without a file")
		}
	}
	if !f.failed {
		t.Error("the missing directory was not noticed")
	}
	if got := New(t.TempDir()).Keep(nil); got != nil {
		t.Errorf("no value became %q", got)
	}
}
