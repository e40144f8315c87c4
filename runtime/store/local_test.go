package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/storetest"
)

func open(t testing.TB) *store.Local {
	t.Helper()
	l, err := store.OpenLocal(filepath.Join(t.TempDir(), "store"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func put(t testing.TB, s store.Store, key, text string) {
	t.Helper()
	if err := s.Put(context.Background(), key, strings.NewReader(text), store.Replace); err != nil {
		t.Fatal(err)
	}
}

func TestPutGet(t *testing.T) {
	ctx, s := context.Background(), open(t)
	put(t, s, "a/b/c", "one")
	put(t, s, "a/b/c", "two")
	if data, err := store.ReadAll(ctx, s, "a/b/c"); err != nil || string(data) != "two" {
		t.Fatalf("got %q, %v", data, err)
	}
	if err := s.Put(ctx, "a/b/c", strings.NewReader("three"), store.IfAbsent); !errors.Is(err, store.ErrExists) {
		t.Fatalf("a second IfAbsent: %v", err)
	}
	if err := s.Put(ctx, "a/b/d", strings.NewReader("four"), store.IfAbsent); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/b/x", "nowhere", "a/b", "a/b/c/d"} {
		if _, err := s.Stat(ctx, key); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("Stat(%q): %v", key, err)
		}
	}
	if info, err := s.Stat(ctx, "a/b/d"); err != nil || info.Size != 4 {
		t.Fatalf("%+v, %v", info, err)
	}
	if left := temporaries(t, s); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func temporaries(t testing.TB, l *store.Local) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(l.Dir(), ".tmp"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestContract(t *testing.T) {
	storetest.Contract(t, func(t testing.TB) store.Store { return open(t) })
}

func TestKeys(t *testing.T) {
	ctx, s := context.Background(), open(t)
	for _, key := range []string{
		"", "/a", "a/", "a//b", "..", "../a", "a/../b", "./a", "a/.", "a\x00b", "a\nb", `a\b`, ".tmp/a", "\xff",
		strings.Repeat("a", 256), strings.Repeat("ab/", 400) + "c",
	} {
		if err := s.Put(ctx, key, strings.NewReader("x"), store.Replace); err == nil {
			t.Errorf("Put took the key %q", key)
		}
		if _, err := s.Get(ctx, key); err == nil || errors.Is(err, store.ErrNotExist) {
			t.Errorf("Get took the key %q: %v", key, err)
		}
	}
	for _, key := range []string{"a", "ä/ö", "a b/[0]", ".hidden", "a..b"} {
		put(t, s, key, "x")
	}
}

// A link inside the store must not lead a key out of it.
func TestSymlinkEscape(t *testing.T) {
	ctx, s, outside := context.Background(), open(t), t.TempDir()
	if err := os.Symlink(outside, filepath.Join(s.Dir(), "runs")); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(ctx, "runs/x", strings.NewReader("x"), store.Replace); err == nil {
		t.Error("Put followed a link out of the store")
	}
	file := filepath.Join(t.TempDir(), "f")
	write(t, file, "x")
	if err := s.Move(ctx, file, "runs/y", store.Replace); err == nil {
		t.Error("Move followed a link out of the store")
	}
	if entries, _ := os.ReadDir(outside); len(entries) > 0 {
		t.Errorf("%v was written outside", entries)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestExclusive(t *testing.T) {
	ctx, s := context.Background(), open(t)
	other, err := store.OpenLocal(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for round := range 20 {
		key := fmt.Sprintf("log/%d", round)
		var wins atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				l := []*store.Local{s, other}[i%2]
				err := l.Put(ctx, key, strings.NewReader(fmt.Sprint(i)), store.IfAbsent)
				if err == nil {
					wins.Add(1)
				} else if !errors.Is(err, store.ErrExists) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if wins.Load() != 1 {
			t.Fatalf("%d writers won", wins.Load())
		}
	}
}

// Several processes race for each key: exactly one wins it, and what it wrote is stored.
func TestExclusiveBetweenProcesses(t *testing.T) {
	if dir := os.Getenv("STORE_TEST_DIR"); dir != "" {
		l, err := store.OpenLocal(dir)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 50 {
			err := l.Put(context.Background(), fmt.Sprintf("k/%d", i), strings.NewReader(os.Getenv("STORE_TEST_NAME")), store.IfAbsent)
			if err == nil {
				fmt.Printf("won %d\n", i)
			} else if !errors.Is(err, store.ErrExists) {
				t.Fatal(err)
			}
		}
		return
	}
	s := open(t)
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for i := range 3 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestExclusiveBetweenProcesses$")
		cmd.Env = append(os.Environ(), "STORE_TEST_DIR="+s.Dir(), fmt.Sprintf("STORE_TEST_NAME=p%d", i))
		out := &bytes.Buffer{}
		cmd.Stdout = out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	won := map[string]string{}
	for i, cmd := range cmds {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v: %s", err, outs[i])
		}
		for line := range strings.Lines(outs[i].String()) {
			if n, ok := strings.CutPrefix(strings.TrimSpace(line), "won "); ok {
				if won[n] != "" {
					t.Errorf("%s and p%d both won %s", won[n], i, n)
				}
				won[n] = fmt.Sprintf("p%d", i)
			}
		}
	}
	for i := range 50 {
		data, err := store.ReadAll(context.Background(), s, fmt.Sprintf("k/%d", i))
		if err != nil || string(data) != won[fmt.Sprint(i)] {
			t.Errorf("k/%d holds %q (%v), and %q won it", i, data, err, won[fmt.Sprint(i)])
		}
	}
}

type failing struct{ after io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.after.Read(p)
	if err == io.EOF {
		err = errors.New("the source is gone")
	}
	return n, err
}

func TestNothingHalfWritten(t *testing.T) {
	ctx, s := context.Background(), open(t)
	if err := s.Put(ctx, "a", failing{strings.NewReader("half")}, store.Replace); err == nil {
		t.Fatal("a failing source gave no error")
	}
	if _, err := s.Stat(ctx, "a"); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("half an object is there: %v", err)
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := s.Put(ended, "b", strings.NewReader("x"), store.Replace); !errors.Is(err, context.Canceled) {
		t.Errorf("under an ended context: %v", err)
	}
	if left := temporaries(t, s); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestSweep(t *testing.T) {
	s := open(t)
	old, young := filepath.Join(s.Dir(), ".tmp", "old"), filepath.Join(s.Dir(), ".tmp", "young")
	write(t, old, "x")
	write(t, young, "x")
	past := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(old, past, past); err != nil {
		t.Fatal(err)
	}
	again, err := store.OpenLocal(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if left := temporaries(t, s); !slices.Equal(left, []string{"young"}) {
		t.Errorf("left are %v", left)
	}
	for key, err := range again.List(context.Background(), "", "") {
		t.Errorf("a temporary file counts: %q, %v", key, err)
	}
}

func keys(t rapid.TB, s store.Store, prefix, after string) []string {
	t.Helper()
	var out []string
	for key, err := range s.List(context.Background(), prefix, after) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, key)
	}
	return out
}

// List gives what a sorted list of all keys gives, whatever prefix and start.
func TestList(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := open(t)
		segment := rapid.StringMatching(`[ab][-.0]?[ab]?`)
		text := rapid.Custom(func(rt *rapid.T) string {
			return strings.Join(rapid.SliceOfN(segment, 1, 3).Draw(rt, "segments"), "/")
		})
		var all []string
		for _, key := range rapid.SliceOfN(text, 0, 12).Draw(rt, "keys") {
			if err := s.Put(context.Background(), key, strings.NewReader(""), store.IfAbsent); err == nil {
				all = append(all, key) // else it is there, or lies beneath another
			}
		}
		sort.Strings(all)
		prefix := rapid.OneOf(rapid.Just(""), text, rapid.Map(text, func(s string) string { return s + "/" })).Draw(rt, "prefix")
		after := rapid.OneOf(rapid.Just(""), text).Draw(rt, "after")
		var want []string
		for _, key := range all {
			if strings.HasPrefix(key, prefix) && key > after {
				want = append(want, key)
			}
		}
		if got := keys(rt, s, prefix, after); !slices.Equal(got, want) {
			rt.Fatalf("List(%q, %q) of %q:\n%q\nwant\n%q", prefix, after, all, got, want)
		}
	})
}

func TestListEndsEarly(t *testing.T) {
	s := open(t)
	put(t, s, "a/1", "")
	put(t, s, "a/2", "")
	n := 0
	for range s.List(context.Background(), "a/", "") {
		n++
		break
	}
	if n != 1 {
		t.Errorf("%d keys after break", n)
	}
}

func TestMove(t *testing.T) {
	ctx, s := context.Background(), open(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	write(t, file, "moved")
	if err := s.Move(ctx, file, "deep/down/f", store.IfAbsent); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
	info, err := os.Stat(filepath.Join(s.Dir(), "deep/down/f"))
	if err != nil || info.Mode().Perm() != 0o444 {
		t.Errorf("%v, %v: not read-only", info, err)
	}
	write(t, file, "second")
	if err := s.Move(ctx, file, "deep/down/f", store.IfAbsent); !errors.Is(err, store.ErrExists) {
		t.Errorf("a second IfAbsent: %v", err)
	}
	if err := os.Link(file, filepath.Join(dir, "g")); err != nil {
		t.Fatal(err)
	}
	if err := s.Move(ctx, file, "other", store.Replace); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a file with two names was moved: %v", err)
	}
	if data, _ := store.ReadAll(ctx, s, "deep/down/f"); string(data) != "moved" {
		t.Errorf("the object is %q", data)
	}
}
