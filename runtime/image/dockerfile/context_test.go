package dockerfile

import (
	"os"
	"path/filepath"
	"testing"
)

// TestDigest changes files of a context, and compares the digests before and after.
func TestDigest(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "Dockerfile", "FROM scratch\n")
	write(t, dir, ".dockerignore", "*.md\n!kept.md\nbig\n# a comment\n")
	write(t, dir, "src/a.py", "1")
	digest := func() string {
		t.Helper()
		d, err := Digest(dir, filepath.Join(dir, "Dockerfile"))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct {
		name, file, text string
		same             bool
	}{
		{"a file that is ignored", "notes.md", "x", true},
		{"a file of a directory that is ignored", "big/data.bin", "x", true},
		{"what runs write", ".pipec/runs/r.json", "x", true},
		{"the lock", "pipec.lock.json", "{}", true},
		{"a new file", "src/b.py", "2", false},
		{"the content of a file", "src/a.py", "3", false},
		{"an exception of what is ignored", "kept.md", "x", false},
		{"the Dockerfile", "Dockerfile", "FROM scratch\nENV A=1\n", false},
		{"an odd name", "src/\u00e9 \"x\".py", "", false},
		{"a file of this name that is not of pipec", "src/pipec.lock.json", "{}", false},
	} {
		before := digest()
		write(t, dir, c.file, c.text)
		if same := digest() == before; same != c.same {
			t.Errorf("%s: the digest is the same: %t", c.name, same)
		}
	}
	before := digest()
	if err := os.Chmod(filepath.Join(dir, "src/a.py"), 0o755); err != nil {
		t.Fatal(err)
	}
	if digest() == before {
		t.Error("a file that is executable now has the same digest")
	}
	before = digest()
	if err := os.Symlink("a.py", filepath.Join(dir, "src/link")); err != nil {
		t.Fatal(err)
	}
	if digest() == before {
		t.Error("a new link does not change the digest")
	}
	write(t, dir, ".dockerignore", "[")
	if _, err := Digest(dir, filepath.Join(dir, "Dockerfile")); err == nil {
		t.Error("a pattern that is no pattern is accepted")
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
