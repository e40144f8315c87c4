// Package storetest holds the tests that each store.Store has to pass, and leads tests to an S3 server.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// Contract tests what store.Store promises. Open gives an empty store each time.
func Contract(t *testing.T, open func(t testing.TB) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store){
		"put and get": putGet, "keys": keys, "sizes": sizes, "exclusive": exclusive, "half-written": halfWritten,
		"seeking": seeking, "content": content, "once": once, "remove": remove,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	t.Run("list", func(t *testing.T) { list(t, open) })
}

func put(t testing.TB, s store.Store, key, text string) {
	t.Helper()
	if err := s.Put(t.Context(), key, strings.NewReader(text), store.Replace); err != nil {
		t.Fatal(err)
	}
}

func putGet(t *testing.T, s store.Store) {
	ctx := t.Context()
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
	if _, err := s.Stat(ctx, "a/b"); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("a folder: %v", err)
	}
	for _, key := range []string{"a/b/x", "nowhere", "a/b/c/d"} {
		if _, err := s.Stat(ctx, key); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("Stat(%q): %v", key, err)
		}
		if _, err := s.Get(ctx, key); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("Get(%q): %v", key, err)
		}
	}
	if info, err := s.Stat(ctx, "a/b/d"); err != nil || info.Size != 4 || info.ModTime.IsZero() {
		t.Fatalf("%+v, %v", info, err)
	}
}

func keys(t *testing.T, s store.Store) {
	ctx := t.Context()
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
	odd := []string{"a", "ä/ö", "a b/[0]", ".hidden", "a..b", "+/%2F", "q?x=1&y", "#", `x["k y"]`, "'<&>'", "日本"}
	for _, key := range odd {
		put(t, s, key, key)
		if data, err := store.ReadAll(ctx, s, key); err != nil || string(data) != key {
			t.Errorf("%q: %q, %v", key, data, err)
		}
	}
	sort.Strings(odd)
	if got := listed(t, s, "", ""); !slices.Equal(got, odd) {
		t.Errorf("listed %q", got)
	}
}

// sizes around those at which stores change their ways.
func sizes(t *testing.T, s store.Store) {
	ctx := t.Context()
	part := int(store.PartSize(0))
	noise := make([]byte, 3*part+1)
	rng := rand.NewChaCha8([32]byte{7})
	_, _ = rng.Read(noise)
	for _, n := range []int{0, 1, 100_000, part - 1, part, part + 1, 3*part + 1} {
		for name, r := range map[string]io.Reader{
			"bytes": bytes.NewReader(noise[:n]), "stream": io.MultiReader(bytes.NewReader(noise[:n])), "hashed": store.HashBytes(noise[:n]),
		} {
			key := fmt.Sprint("size/", n, "-", name)
			if err := s.Put(ctx, key, r, store.IfAbsent); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			if info, err := s.Stat(ctx, key); err != nil || info.Size != int64(n) {
				t.Fatalf("%s: %+v, %v", key, info, err)
			}
			if data, err := store.ReadAll(ctx, s, key); err != nil || !bytes.Equal(data, noise[:n]) {
				t.Fatalf("%s: %d bytes, %v", key, len(data), err)
			}
			if err := s.Put(ctx, key, bytes.NewReader(noise[:n]), store.IfAbsent); !errors.Is(err, store.ErrExists) {
				t.Errorf("%s: a second IfAbsent: %v", key, err)
			}
		}
	}
	// A reader that is left early.
	r, err := s.Get(ctx, fmt.Sprint("size/", len(noise), "-bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, part+5)); err != nil {
		t.Error(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func exclusive(t *testing.T, s store.Store) {
	ctx := t.Context()
	for round := range 10 {
		key := fmt.Sprintf("log/%d", round)
		var wins atomic.Int32
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				err := s.Put(ctx, key, strings.NewReader(fmt.Sprint(i)), store.IfAbsent)
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

type failing struct{ after io.Reader }

var errGone = errors.New("the source is gone")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.after.Read(p)
	if err == io.EOF {
		err = errGone
	}
	return n, err
}

func halfWritten(t *testing.T, s store.Store) {
	ctx := t.Context()
	for _, n := range []int64{4, 3 * store.PartSize(0)} {
		if err := s.Put(ctx, "a", failing{bytes.NewReader(make([]byte, n))}, store.Replace); !errors.Is(err, errGone) {
			t.Fatalf("a failing source: %v", err)
		}
		if _, err := s.Stat(ctx, "a"); !errors.Is(err, store.ErrNotExist) {
			t.Errorf("half an object is there: %v", err)
		}
	}
	why := errors.New("cancelled by the test")
	ended, cancel := context.WithCancelCause(ctx)
	cancel(why)
	if err := s.Put(ended, "b", strings.NewReader("x"), store.Replace); !errors.Is(err, why) {
		t.Errorf("under an ended context: %v", err)
	}
	if _, err := s.Stat(ctx, "b"); !errors.Is(err, store.ErrNotExist) {
		t.Errorf("it was written under an ended context: %v", err)
	}
}

// seeking: a reader is taken from where it is.
func seeking(t *testing.T, s store.Store) {
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte("0123456789"), 0o666); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, r := range map[string]io.ReadSeeker{"file": f, "string": strings.NewReader("0123456789"), "bytes": bytes.NewReader([]byte("0123456789"))} {
		if _, err := r.Seek(4, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), name, r, store.Replace); err != nil {
			t.Fatal(err)
		}
		if data, err := store.ReadAll(t.Context(), s, name); err != nil || string(data) != "456789" {
			t.Errorf("%s: %q, %v", name, data, err)
		}
	}
}

func content(t *testing.T, s store.Store) {
	ctx, dir := t.Context(), t.TempDir()
	big := make([]byte, 2*store.PartSize(0)+17)
	for i := range big {
		big[i] = byte(i >> 12)
	}
	for name, data := range map[string][]byte{"empty": nil, "small": []byte("small"), "sub/big": big} {
		path := filepath.Join(dir, "in", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	a, err := store.Save(ctx, s, filepath.Join(dir, "in"), false)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := store.Save(ctx, s, filepath.Join(dir, "in"), true); err != nil || again != a {
		t.Fatalf("%+v and %+v, %v", a, again, err)
	}
	if err := store.Fetch(ctx, s, a, filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "out", "sub", "big"))
	if err != nil || !bytes.Equal(data, big) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	digest, err := store.PutBytes(ctx, s, []byte("bytes"))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := store.ReadBlob(ctx, s, digest, 5); err != nil || string(data) != "bytes" {
		t.Errorf("%q, %v", data, err)
	}
	if err := s.Put(ctx, record.BlobKey(digest), strings.NewReader("Bytes"), store.Replace); err != nil {
		t.Fatal(err)
	}
	var corrupt *store.CorruptError
	if _, err := store.ReadBlob(ctx, s, digest, 5); !errors.As(err, &corrupt) {
		t.Errorf("what is damaged was read: %v", err)
	}
}

func once(t *testing.T, s store.Store) {
	for range 2 {
		if err := store.ProveOnce(t.Context(), s); err != nil {
			t.Error(err)
		}
	}
}

// remove removes an object and all objects below a key, and no object beside it.
func remove(t *testing.T, s store.Store) {
	for _, key := range []string{"runs/a/1", "runs/a/x/y", "runs/a/x/z", "runs/ab", "runs/b"} {
		put(t, s, key, key)
	}
	for _, key := range []string{"runs/a", "runs/b", "runs/none"} {
		err := store.Remove(t.Context(), s, key)
		if errors.Is(err, store.ErrNotRemover) {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	if got := listed(t, s, "", ""); !slices.Equal(got, []string{"runs/ab"}) {
		t.Errorf("left are %q", got)
	}
	put(t, s, "runs/a/1", "again")
	if err := store.Remove(t.Context(), s, "../x"); err == nil {
		t.Error("a key that is not valid was removed")
	}
}

func listed(t rapid.TB, s store.Store, prefix, after string) []string {
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

// list: what a sorted list of all keys gives, whatever prefix and start, and folders as those keys have them.
func list(t *testing.T, open func(t testing.TB) store.Store) {
	s := open(t)
	rounds := 0
	rapid.Check(t, func(rt *rapid.T) {
		rounds++
		root := fmt.Sprintf("r%06d/", rounds)
		segment := rapid.StringMatching(`[ab][-.0]?[ab]?`)
		text := rapid.Custom(func(rt *rapid.T) string {
			return root + strings.Join(rapid.SliceOfN(segment, 1, 3).Draw(rt, "segments"), "/")
		})
		var all []string
		for _, key := range rapid.SliceOfN(text, 0, 8).Draw(rt, "keys") {
			if err := s.Put(context.Background(), key, strings.NewReader(""), store.IfAbsent); err == nil {
				all = append(all, key) // else it is there, or a file system can't hold both
			}
		}
		sort.Strings(all)
		prefix := rapid.OneOf(rapid.Just(root), text, rapid.Map(text, func(s string) string { return s + "/" })).Draw(rt, "prefix")
		after := rapid.OneOf(rapid.Just(""), text).Draw(rt, "after")
		var want []string
		folders := map[string]bool{}
		for _, key := range all {
			if strings.HasPrefix(key, prefix) && key > after {
				want = append(want, key)
			}
			if name, _, ok := strings.Cut(strings.TrimPrefix(key, root), "/"); ok {
				folders[name] = true
			}
		}
		if got := listed(rt, s, prefix, after); !slices.Equal(got, want) {
			rt.Fatalf("List(%q, %q) of %q:\n%q\nwant\n%q", prefix, after, all, got, want)
		}
		got, err := store.FoldersIn(context.Background(), s, root)
		if err != nil {
			rt.Fatal(err)
		}
		if len(got) != len(folders) || slices.ContainsFunc(got, func(f string) bool { return !folders[f] }) || !slices.IsSorted(got) {
			rt.Fatalf("Folders of %q: %q", all, got)
		}
	})
	for range s.List(t.Context(), "r", "") {
		break // a list can be left
	}
}
