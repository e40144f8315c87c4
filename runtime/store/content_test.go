package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// copying hides that the store can take files over.
type copying struct{ store.Store }

func both(t *testing.T, f func(t *testing.T, s store.Store)) {
	t.Run("moving", func(t *testing.T) { f(t, open(t)) })
	t.Run("copying", func(t *testing.T) { f(t, copying{open(t)}) })
}

func TestSaveFetchFile(t *testing.T) {
	both(t, func(t *testing.T, s store.Store) {
		ctx, dir := context.Background(), t.TempDir()
		for _, move := range []bool{false, true} {
			file := filepath.Join(dir, "in")
			write(t, file, "some content")
			a, err := store.Save(ctx, s, file, move)
			if err != nil {
				t.Fatal(err)
			}
			if want := "sha256:290f493c44f5d63d06b374d0a5abd292fae38b92cab2fae5efefe1b0e9347f56"; a.Digest != want || a.Size != 12 || a.Directory {
				t.Errorf("%+v", a)
			}
			out := filepath.Join(t.TempDir(), "out")
			if err := store.Fetch(ctx, s, a, out); err != nil {
				t.Fatal(err)
			}
			write(t, out, "changed by the step")
			if data, err := store.ReadBlob(ctx, s, a.Digest, 100); err != nil || string(data) != "some content" {
				t.Errorf("a step that wrote to its input changed the store: %q, %v", data, err)
			}
			if err := store.Fetch(ctx, s, a, out); !errors.Is(err, fs.ErrExist) {
				t.Errorf("Fetch wrote over a file: %v", err)
			}
		}
	})
}

func TestDamaged(t *testing.T) {
	ctx, s, dir := context.Background(), open(t), t.TempDir()
	file := filepath.Join(dir, "in")
	write(t, file, "content")
	a, err := store.Save(ctx, s, file, false)
	if err != nil {
		t.Fatal(err)
	}
	blob := filepath.Join(s.Dir(), record.BlobKey(a.Digest))
	for _, damage := range []string{"CONTENT", "cont", ""} {
		if err := os.Chmod(blob, 0o644); err != nil {
			t.Fatal(err)
		}
		write(t, blob, damage)
		out := filepath.Join(dir, "out")
		err = store.Fetch(ctx, s, a, out)
		var corrupt *store.CorruptError
		if !errors.As(err, &corrupt) || corrupt.Want != a.Digest || corrupt.Key != record.BlobKey(a.Digest) {
			t.Fatalf("a damaged blob: %v", err)
		}
		if !strings.Contains(err.Error(), a.Digest) || !strings.Contains(err.Error(), "blobs/sha256/") {
			t.Errorf("the message doesn't name digest and key: %v", err)
		}
		if _, err := os.Lstat(out); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what is damaged was left at the target: %v", err)
		}
		// The same content, kept again, heals it.
		if _, err := store.Save(ctx, s, file, false); err != nil {
			t.Fatal(err)
		}
		if err := store.Fetch(ctx, s, a, out); err != nil {
			t.Errorf("after it was kept again: %v", err)
		}
		_ = os.Remove(out)
	}
}

// layout writes a directory from lines "path=content", "path/" and "path -> target"; a leading * is an executable.
func layout(t testing.TB, root string, lines ...string) string {
	t.Helper()
	for _, line := range lines {
		name, exec := strings.CutPrefix(line, "*")
		if link, target, ok := strings.Cut(name, " -> "); ok {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(root, link)), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, filepath.Join(root, link)); err != nil {
				t.Fatal(err)
			}
		} else if file, text, ok := strings.Cut(name, "="); ok {
			write(t, filepath.Join(root, file), text)
			if exec {
				_ = os.Chmod(filepath.Join(root, file), 0o755)
			}
		} else if err := os.MkdirAll(filepath.Join(root, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// describe is the inverse of layout.
func describe(t testing.TB, root string) string {
	t.Helper()
	var lines []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		info, err := e.Info()
		switch {
		case err != nil:
			return err
		case e.IsDir():
			lines = append(lines, rel+"/")
		case info.Mode()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(path)
			lines = append(lines, rel+" -> "+target)
		default:
			data, _ := os.ReadFile(path)
			mark := ""
			if info.Mode()&0o100 != 0 {
				mark = "*"
			}
			lines = append(lines, mark+rel+"="+string(data))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func TestSaveFetchTree(t *testing.T) {
	both(t, func(t *testing.T, s store.Store) {
		ctx := context.Background()
		dir := layout(t, filepath.Join(t.TempDir(), "in"), "a=1", "*run.sh=#!/bin/sh", "b/c/d=2", "b/empty/", "b-b=3", "link -> b/c", "b/up -> ../a", "same=1")
		want := describe(t, dir)
		kept, err := store.Save(ctx, s, dir, false)
		if err != nil {
			t.Fatal(err)
		}
		moved, err := store.Save(ctx, s, dir, true)
		if err != nil {
			t.Fatal(err)
		}
		if kept != moved || !kept.Directory || kept.Size != 13 {
			t.Errorf("kept %+v, moved %+v", kept, moved)
		}
		out := filepath.Join(t.TempDir(), "out")
		if err := store.Fetch(ctx, s, moved, out); err != nil {
			t.Fatal(err)
		}
		if got := describe(t, out); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	})
}

func TestWhatCannotBeKept(t *testing.T) {
	ctx, s := context.Background(), open(t)
	for _, c := range []struct {
		name, want string
		lines      []string
	}{
		{"absolute link", "not a relative path", []string{"l -> /etc/passwd"}},
		{"link out", "leads out", []string{"d/l -> ../../x"}},
		{"link out through a link", "leads out", []string{"d/l -> ..", "m -> d/l/../x"}},
		{"circle", "circle", []string{"a -> b", "b -> a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := layout(t, t.TempDir(), c.lines...)
			_, err := store.Save(ctx, s, dir, false)
			var content *store.ContentError
			if !errors.As(err, &content) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v", err)
			}
		})
	}
	dir, err := os.MkdirTemp("", "s") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, path := range []string{dir, filepath.Join(dir, "sock")} {
		if _, err := store.Save(ctx, s, path, false); err == nil || !strings.Contains(err.Error(), "a socket") {
			t.Errorf("a socket: %v", err)
		}
	}
	if _, err := store.Save(ctx, s, filepath.Join(dir, "nothing"), false); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("nothing: %v", err)
	}
	bad := layout(t, t.TempDir(), "ok=1")
	write(t, filepath.Join(bad, "\xff"), "x")
	if _, err := store.Save(ctx, s, bad, false); err == nil || !strings.Contains(err.Error(), "not UTF-8") {
		t.Errorf("a name that is not UTF-8: %v", err)
	}
}

// checkAgainstDisk: what CheckTree takes can be made, and no link of it leads out.
func TestCheckTreeHolds(t *testing.T) {
	ctx, s := context.Background(), open(t)
	digest, err := store.PutBytes(ctx, s, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	part := rapid.SampledFrom([]string{"a", "b", "..", "."})
	path := rapid.Map(rapid.SliceOfN(part, 1, 4), func(p []string) string { return strings.Join(p, "/") })
	rapid.Check(t, func(rt *rapid.T) {
		files := map[string]record.File{}
		for range rapid.IntRange(0, 6).Draw(rt, "n") {
			f := record.File{Path: path.Draw(rt, "path")}
			switch rapid.IntRange(0, 2).Draw(rt, "kind") {
			case 0:
				f.Digest, f.Size = digest, 1
			case 1:
				f.Link = path.Draw(rt, "link")
			case 2:
				f.Dir = true
			}
			files[f.Path] = f
		}
		var tree record.Tree
		for _, f := range files {
			tree.Files = append(tree.Files, f)
		}
		sortFiles(tree.Files)
		if store.CheckTree(tree) != nil {
			return
		}
		a, err := store.PutTree(ctx, s, tree)
		if err != nil {
			rt.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		if err := store.Fetch(ctx, s, a, out); err != nil {
			rt.Fatalf("%+v: %v", tree, err)
		}
		root, err := os.OpenRoot(out)
		if err != nil {
			rt.Fatal(err)
		}
		defer root.Close()
		for _, f := range tree.Files {
			if _, err := root.Stat(f.Path); err != nil && !errors.Is(err, fs.ErrNotExist) && f.Link != "" {
				rt.Fatalf("%+v: %v", tree, err)
			}
		}
		back, err := store.Save(ctx, s, out, false)
		if err != nil || back != a {
			rt.Fatalf("kept again it is %+v (%v), and was %+v", back, err, a)
		}
	})
}

func sortFiles(files []record.File) {
	for i := range files {
		for j := i; j > 0 && files[j-1].Path > files[j].Path; j-- {
			files[j-1], files[j] = files[j], files[j-1]
		}
	}
}

func FuzzTree(f *testing.F) {
	f.Add([]byte(`{"version":1,"files":[{"path":"a","digest":"sha256:00"},{"path":"b","link":"a"}]}`))
	f.Add([]byte(`{"files":[{"path":"a","link":"../.."}]}`))
	f.Add([]byte(`{"files":[{"path":"a"},{"path":"a/b"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var tree record.Tree
		if store.DecodeJSON(data, &tree) != nil || store.CheckTree(tree) != nil {
			return
		}
		for _, file := range tree.Files {
			if !filepath.IsLocal(file.Path) {
				t.Errorf("%q leads out", file.Path)
			}
			if file.Link != "" && strings.HasPrefix(file.Link, "/") {
				t.Errorf("%q leads out", file.Link)
			}
		}
	})
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte(`{"version":1,"status":"succeeded","exit_code":0,"outputs":[{"name":"a","type":"number","value":1}]}`))
	f.Add([]byte(`{"version":99}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var r record.Result
		if store.DecodeJSON(data, &r) != nil {
			return
		}
		if r.Version > record.Version {
			t.Errorf("version %d was read", r.Version)
		}
		again, err := store.EncodeJSON(&r)
		if err != nil {
			return // a time beyond year 9999
		}
		var back record.Result
		if err := json.Unmarshal(again, &back); err != nil {
			t.Errorf("%s: %v", again, err)
		}
	})
}

func TestNewerRecord(t *testing.T) {
	ctx, s := context.Background(), open(t)
	put(t, s, "r.json", `{"version": 99}`)
	if _, err := store.ReadJSON[record.Run](ctx, s, "r.json"); err == nil || !strings.Contains(err.Error(), "newer pipec") {
		t.Errorf("%v", err)
	}
	if _, err := store.ReadJSON[record.Run](ctx, s, "none.json"); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := store.WriteJSON(ctx, s, "w.json", record.Run{Version: 1, Name: "<a>"}, store.IfAbsent); err != nil {
		t.Fatal(err)
	}
	got, err := store.ReadJSON[record.Run](ctx, s, "w.json")
	if err != nil || got.Name != "<a>" {
		t.Errorf("%+v, %v", got, err)
	}
	if data, _ := store.ReadAll(ctx, s, "w.json"); !bytes.Contains(data, []byte("<a>")) {
		t.Errorf("%s", data)
	}
}

// A gigabyte takes no memory.
func TestGigabyte(t *testing.T) {
	if testing.Short() {
		t.Skip("a gigabyte")
	}
	both(t, func(t *testing.T, s store.Store) {
		ctx, dir := context.Background(), t.TempDir()
		big := filepath.Join(dir, "big")
		f, err := os.Create(big)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(1 << 30); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a, err := store.Save(ctx, s, big, true)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Fetch(ctx, s, a, filepath.Join(dir, "out")); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 20<<20 {
			t.Errorf("it allocated %d MB", took>>20)
		}
	})
}

func BenchmarkPutRecord(b *testing.B) {
	s := open(b)
	ctx := context.Background()
	for i := range b.N {
		key := fmt.Sprintf("attempts/local/p/r/s%d/1/result.json", i)
		if err := store.WriteJSON(ctx, s, key, record.Result{Version: 1}, store.IfAbsent); err != nil {
			b.Fatal(err)
		}
	}
}
