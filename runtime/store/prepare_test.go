package store

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// An object in a prepared directory is stored like any other, whatever happens to the directory in between.
func TestPrepare(t *testing.T) {
	for name, between := range map[string]func(l *Local, dir string) error{
		"nothing": func(*Local, string) error { return nil },
		"again":   func(l *Local, _ string) error { l.Prepare("a/b/c"); return nil },
		"removed": func(_ *Local, dir string) error { return os.RemoveAll(filepath.Join(dir, "a")) },
		"closed":  func(l *Local, _ string) error { l.prepared.close(); l.Prepare("a/b/c"); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l, err := OpenLocal(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			l.Prepare("a/b/c")
			if len(l.prepared.dirs) != 1 {
				t.Fatalf("%d directories are prepared", len(l.prepared.dirs))
			}
			if err := between(l, dir); err != nil {
				t.Fatal(err)
			}
			if err := l.Put(t.Context(), "a/b/c/x", bytes.NewReader([]byte("x")), IfAbsent); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(dir, "a/b/c/x")); err != nil || string(got) != "x" {
				t.Errorf("%q, %v", got, err)
			}
			if len(l.prepared.dirs) != 0 {
				t.Error("a directory is still open")
			}
		})
	}
}

// The number of open directories is bounded, invalid keys are ignored, and Close closes all.
func TestPrepareBound(t *testing.T) {
	l, err := OpenLocal(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l.Prepare("../out")
	for i := range maxPrepared + 3 {
		l.Prepare(fmt.Sprintf("a/%d", i))
	}
	if len(l.prepared.dirs) != maxPrepared {
		t.Errorf("%d directories are prepared", len(l.prepared.dirs))
	}
	fd := l.prepared.dirs["a/0"]
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil {
		t.Error("a directory is open after Close")
	}
}
