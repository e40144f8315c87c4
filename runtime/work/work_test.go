package work_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"pipec.dev/pipec/runtime/work"
)

func place(t *testing.T, name string) work.Run {
	t.Helper()
	dir, err := work.In(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := dir.Run(name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestLock(t *testing.T) {
	r := place(t, "r")
	if r.Held() {
		t.Error("held before")
	}
	if err := r.Released(t.Context()); err != nil {
		t.Errorf("released before: %v", err)
	}
	lock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if err := lock.Note("runs/x/end.json"); err != nil || r.Noted() != "runs/x/end.json" {
		t.Errorf("%v, %q", err, r.Noted())
	}
	if _, err := r.Lock(); !errors.Is(err, work.ErrHeld) || !r.Held() {
		t.Errorf("twice: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Released(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting: %v", err)
	}
	done := make(chan error)
	go func() { done <- r.Released(t.Context()) }()
	if err := lock.Remove(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || r.Held() {
		t.Errorf("after: %v", err)
	}
}

// TestLockIsOne: of many processes that take a lock and remove the directory, one has it at a time.
func TestLockIsOne(t *testing.T) {
	r := place(t, "r")
	var all sync.WaitGroup
	var inside sync.Mutex
	for range 8 {
		all.Go(func() {
			for range 20 {
				lock, err := r.Lock()
				if errors.Is(err, work.ErrHeld) || errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrExist) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if !inside.TryLock() {
					t.Error("two have the lock")
				} else {
					inside.Unlock()
				}
				_ = lock.Remove()
			}
		})
	}
	all.Wait()
}

func TestRequests(t *testing.T) {
	r := place(t, "r")
	if err := r.RequestCancel(); err == nil {
		t.Error("a request of nobody")
	}
	lock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	q, err := r.Requests()
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := r.RequestCancel(); err != nil {
			t.Fatal(err)
		}
		<-q.Cancel
	}
	if err := r.RequestCancel(); err != nil {
		t.Fatal(err)
	}
	q.Close() // with a pending request
	if q, err = r.Requests(); err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	if err := r.RequestCancel(); err != nil {
		t.Fatal(err)
	}
	<-q.Cancel
}

func TestKill(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("processes are found by /proc")
	}
	mine, other := place(t, "r"), place(t, "r")
	start := func(r work.Run) *exec.Cmd {
		cmd := exec.Command("sleep", "1000")
		cmd.Env = append(os.Environ(), "PIPEC_INPUTS="+filepath.Join(r.Attempt("s", 1), "inputs"))
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	a, b, c := start(mine), start(mine), start(other)
	if err := mine.Kill(); err != nil {
		t.Fatal(err)
	}
	if a.Wait() == nil || b.Wait() == nil {
		t.Error("not killed")
	}
	if err := c.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("another run's process: %v", err)
	}
	if err := other.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil || c.ProcessState.Success() {
		t.Error("not killed")
	}
	if err := mine.Kill(); err != nil {
		t.Errorf("nobody: %v", err)
	}
}

func TestRemoveWithoutRights(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a")
	if err := os.MkdirAll(filepath.Join(dir, "b", "c"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "b"), 0o500); err != nil {
		t.Fatal(err)
	}
	if err := work.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it is still there")
	}
}

func TestSpares(t *testing.T) {
	r := place(t, "r")
	build := func(step string) {
		for _, d := range []string{"inputs", "outputs", "scratch"} {
			if err := os.MkdirAll(filepath.Join(r.Attempt(step, 1), d), 0o777); err != nil {
				t.Fatal(err)
			}
		}
	}
	build("a")
	s := work.NewSpares(r)
	if !s.Give("a") {
		t.Fatal("a clean place is not taken")
	}
	s.Take("b")
	if steps := r.Steps(); len(steps) != 1 || steps[0] != "b" {
		t.Errorf("places: %v", steps)
	}
	s.Take("c") // none is left
	spoil := map[string]func(dir string) error{
		"a file":      func(dir string) error { return os.WriteFile(filepath.Join(dir, "outputs", "x"), nil, 0o666) },
		"a directory": func(dir string) error { return os.Mkdir(filepath.Join(dir, "inputs", "x"), 0o777) },
		"in root":     func(dir string) error { return os.WriteFile(filepath.Join(dir, "x"), nil, 0o666) },
		"a mode":      func(dir string) error { return os.Chmod(filepath.Join(dir, "scratch"), 0o700) },
		"beside it":   func(dir string) error { return os.Mkdir(filepath.Join(dir, "..", "2"), 0o777) },
		"one gone":    func(dir string) error { return os.Remove(filepath.Join(dir, "scratch")) },
		"one replaced": func(dir string) error {
			_ = os.Remove(filepath.Join(dir, "scratch"))
			return os.Symlink("/", filepath.Join(dir, "scratch"))
		},
	}
	for what, change := range spoil {
		build(what)
		if err := change(r.Attempt(what, 1)); err != nil {
			t.Fatal(err)
		}
		if s.Give(what) {
			t.Errorf("%s: the place is used again", what)
		}
	}
}
