package lockfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
)

var digest = "sha256:" + strings.Repeat("0123456789abcdef", 4)

func TestEncode(t *testing.T) {
	lock := &program.Lock{
		Agents: map[string]string{"r.example/a": "r.example/a/pipec-agent@" + digest},
		Codes:  map[string]program.LockedCode{"prod/src": {Digest: digest}, "dev/src": {Digest: digest}},
		Images: map[string]program.LockedImage{"python:3": {Digest: digest, User: "a<b>", Platforms: []string{"linux/amd64"}, Stacks: []string{"prod"}}},
	}
	want := strings.ReplaceAll(`{
  "version": 1,
  "agents": {
    "r.example/a": "r.example/a/pipec-agent@DIGEST"
  },
  "codes": {
    "dev/src": {"digest":"DIGEST"},
    "prod/src": {"digest":"DIGEST"}
  },
  "images": {
    "python:3": {"digest":"DIGEST","user":"a<b>","platforms":["linux/amd64"],"stacks":["prod"]}
  }
}
`, "DIGEST", digest)
	got, err := Encode(lock)
	if err != nil || string(got) != want {
		t.Fatalf("%v\n%s", err, got)
	}
	if _, err := Decode("l", got); err != nil {
		t.Fatal(err)
	}
}

func TestRefusals(t *testing.T) {
	good := fmt.Sprintf("{\n  \"version\": 1,\n  \"codes\": {\n    \"k/a\": {\"digest\":%q}\n  }\n}\n", digest)
	if _, err := Decode("l", []byte(good)); err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the lock", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	cases := []struct{ name, src, want string }{
		{"empty", " \n", "l: is empty; "},
		{"binary", "\xff\xfe", "l: is not UTF-8; "},
		{"newer", `{"version": 2, "new": {}}`, "l: has version 2, but this pipec reads version 1; use a newer pipec"},
		{"older", `{"version": 0}`, "l:1:1: the version is 0"},
		{"no version", `{}`, "l:1:1: the version is 0"},
		{"text version", `{"version": "x"}`, `l:1:`},
		{"huge version", `{"version": 99999999999999999999}`, `l:1:`},
		{"an array", `[]`, "l:1:1: the lock should be an object"},
		{"cut", strings.TrimSuffix(good, "}\n"), "l:5:4: unexpected end of JSON input"},
		{"comma", change("1,", "1,,"), "l:2:16: invalid character ','"},
		{"conflict", change("    \"k/a\"", "<<<<<<< HEAD\n    \"k/a\""), "l:4:1: there is a merge conflict here; keep the lines of one side"},
		{"twice", change("\n  }", ",\n    \"k/a\": {\"digest\":\""+digest+"\"}\n  }"), `l:5:9: "k/a" appears twice`},
		{"section twice", change("  \"version\"", "  \"codes\": {},\n  \"version\""), `l:4:9: "codes" appears twice`},
		{"unknown section", change(`"codes"`, `"kodes"`), `l:3:9: "kodes" is not an attribute of a lock`},
		{"unknown field", change(`{"digest"`, `{"size":1,"digest"`), `l:4:12: unknown field "size"`},
		{"short digest", change(digest, "sha256:abc"), `l:4:9: "sha256:abc" is not a digest`},
		{"kind", change(`"`+digest+`"`, "5"), "l:4:"},
		{"null", change(`{"digest":"`+digest+`"}`, "null"), "l:4:12: null is not allowed here"},
		{"section of another kind", change(`{
    "k/a": {"digest":"`+digest+`"}
  }`, "7"), "l:3:12: codes should be an object"},
		{"trailing", good + "{}", "l:7:1: invalid character '{' after top-level value"},
		{"bare agent", change(`"codes"`, `"agents": {"r": "image"}, "codes"`), `l:3:16: "" is not a digest`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			lock, err := Decode("l", []byte(c.src))
			var fault *Error
			if lock != nil || !errors.As(err, &fault) {
				t.Fatalf("%v, %v", lock, err)
			}
			if !strings.HasPrefix(fault.Error(), c.want) {
				t.Errorf("%s\nwant: %s", fault, c.want)
			}
			if fault.Hint == "" {
				t.Error("no hint")
			}
		})
	}
}

func TestLoadMissing(t *testing.T) {
	lock, err := Load(t.TempDir())
	if err != nil || lock.Version != program.LockVersion || len(lock.Images) != 0 {
		t.Fatal(lock, err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, program.LockFile), 0o755); err != nil {
		t.Fatal(err)
	}
	var fault *Error
	if _, err := Load(dir); !errors.As(err, &fault) {
		t.Fatal(err)
	}
}

func TestUpdateTouchesOnlyWhatChanges(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, program.LockFile)
	update := func(f func(*program.Lock)) bool {
		t.Helper()
		_, changed, err := Update(context.Background(), dir, f)
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	if update(func(*program.Lock) {}) {
		t.Error("an empty lock was written")
	}
	pin := func(l *program.Lock) { l.Images = map[string]program.LockedImage{"a": {Digest: digest}} }
	if !update(pin) || update(pin) {
		t.Error("written twice, or not at all")
	}
	if err := os.Chmod(name, 0o600); err != nil {
		t.Fatal(err)
	}
	if !update(func(l *program.Lock) { l.Images["b"] = program.LockedImage{Digest: digest} }) {
		t.Error("not written")
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
	if err := os.WriteFile(name, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Update(context.Background(), dir, pin); err == nil {
		t.Error("a lock that can't be read was written over")
	}
}

// TestUpdateThroughLink: a lock that is a symbolic link remains one.
func TestUpdateThroughLink(t *testing.T) {
	dir, other := t.TempDir(), filepath.Join(t.TempDir(), "lock")
	if err := os.WriteFile(other, []byte(`{"version": 1}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, filepath.Join(dir, program.LockFile)); err != nil {
		t.Fatal(err)
	}
	_, changed, err := Update(context.Background(), dir, func(l *program.Lock) { l.Agents = map[string]string{"r": "a@" + digest} })
	if err != nil || !changed {
		t.Fatal(changed, err)
	}
	if data, _ := os.ReadFile(other); !strings.Contains(string(data), digest) {
		t.Errorf("%s", data)
	}
}

// TestUpdatesAtOnce has many concurrent writers, none of whose entries may be lost.
func TestUpdatesAtOnce(t *testing.T) {
	dir := t.TempDir()
	const writers = 16
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			_, _, err := Update(context.Background(), dir, func(l *program.Lock) {
				if l.Codes == nil {
					l.Codes = map[string]program.LockedCode{}
				}
				l.Codes[fmt.Sprint("k/", i)] = program.LockedCode{Digest: digest}
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	lock, err := Load(dir)
	if err != nil || len(lock.Codes) != writers {
		t.Fatalf("%d of %d entries: %v", len(lock.Codes), writers, err)
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != program.LockFile && e.Name() != ".pipec" {
			t.Error("left behind:", e.Name())
		}
	}
}

func TestUpdateCancelled(t *testing.T) {
	dir := t.TempDir()
	release, err := hold(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Update(ctx, dir, func(*program.Lock) {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestRoundTrip decodes and encodes a lock without changes.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lock := &program.Lock{Version: 1}
		image := rapid.Custom(func(t *rapid.T) program.LockedImage {
			return program.LockedImage{Digest: digest, User: rapid.String().Draw(t, "user"), Stacks: rapid.SliceOf(rapid.String()).Draw(t, "stacks")}
		})
		lock.Images = rapid.MapOf(rapid.String(), image).Draw(t, "images")
		first, err := Encode(lock)
		if err != nil {
			t.Fatal(err)
		}
		read, err := Decode("l", first)
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		second, err := Encode(read)
		if err != nil || string(first) != string(second) {
			t.Fatalf("%v\n%s\n%s", err, first, second)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version": 1}`))
	f.Add(fmt.Appendf(nil, `{"version":1,"agents":{"r":"a@%s"},"codes":{"k/a":{"digest":%q}},"images":{"i":{"digest":%q,"user":"u"}}}`, digest, digest, digest))
	f.Add([]byte("<<<<<<< HEAD\n{}"))
	f.Add([]byte(`{"version":1,"codes":{"a":{"digest":5}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		lock, err := Decode("l", data)
		if err != nil {
			var fault *Error
			if !errors.As(err, &fault) || fault.Text == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		first, err := Encode(lock)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode("l", first)
		if err != nil {
			t.Fatalf("%v\n%s", err, first)
		}
		if second, _ := Encode(again); string(second) != string(first) {
			t.Fatalf("%s\n%s", first, second)
		}
	})
}
