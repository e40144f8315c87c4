package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/store"
)

// TestPrepare: what is prepared is there, and what can't be does no harm and leads nowhere.
func TestPrepare(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	s, err := store.OpenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.Prepare("attempts/local/p/r/s/1")
	}
	if _, err := os.Stat(filepath.Join(dir, "attempts/local/p/r/s/1")); err != nil {
		t.Error(err)
	}
	if err := s.Put(t.Context(), "attempts/local/p/r/s/1/result.json", strings.NewReader("{}"), store.IfAbsent); err != nil {
		t.Error(err)
	}
	s.Prepare("attempts/local/p/r/s/2")
	if err := os.RemoveAll(filepath.Join(dir, "attempts")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"attempts/local/p/r/s/2/result.json", "attempts/local/p/r/s/3/result.json"} {
		s.Prepare("attempts/local/p/r/s/3") // beneath a directory that was removed
		if err := s.Put(t.Context(), key, strings.NewReader("{}"), store.IfAbsent); err != nil {
			t.Error(err)
		}
		if err := s.Put(t.Context(), key, strings.NewReader("{}"), store.IfAbsent); !errors.Is(err, store.ErrExists) {
			t.Errorf("written twice: %v", err)
		}
	}
	if left, err := os.ReadDir(filepath.Join(dir, ".tmp")); err != nil || len(left) != 0 {
		t.Errorf("temporary files are left: %v, %v", left, err)
	}
	for _, bad := range []string{"", "a", "a/b", "../x/y/z", "/a/b/c", "attempts/local/p/r/s/1/result.json/x"} {
		s.Prepare(bad)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "attempts/local/p/r/link")); err != nil {
		t.Fatal(err)
	}
	s.Prepare("attempts/local/p/r/link/1")
	s.Prepare("attempts/local/p/r/link/1/2")
	if entries, _ := os.ReadDir(outside); len(entries) != 0 {
		t.Errorf("made outside of the store: %v", entries)
	}
	s.Prepare("attempts/local/p/r/s/4")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	s.Prepare("attempts/local/p/r/s/5")
	if left, err := os.ReadDir(filepath.Join(dir, ".tmp")); err != nil || len(left) != 0 {
		t.Errorf("temporary files are left after the end: %v, %v", left, err)
	}
}
