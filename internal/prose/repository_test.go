package prose_test

import (
	_ "embed"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"pipec.dev/pipec/internal/prose"
)

//go:embed words.txt
var words string

// TestWordsOfRepository fails for each listed word in the repository.
func TestWordsOfRepository(t *testing.T) {
	list, err := prose.ReadWords(words)
	if err != nil {
		t.Fatal("words.txt: ", err)
	}
	checker := prose.NewChecker(list)
	root := os.DirFS("../..")
	err = fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if skipped(name) {
				return fs.SkipDir
			}
			return nil
		}
		content, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		found, err := checker.Check(name, content)
		if err != nil {
			return err
		}
		for _, f := range found {
			t.Errorf("%s:%d: %q: write instead: %s", name, f.Line, f.Found, f.Better)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// skipped reports whether a folder holds nothing that people have written here.
func skipped(dir string) bool {
	base := path.Base(dir)
	return base != "." && strings.HasPrefix(base, ".") || base == "__pycache__" || dir == "bin" || dir == "internal/prose" ||
		strings.HasSuffix(dir, "testdata/fuzz")
}

func TestCheckSkipsCode(t *testing.T) {
	list, err := prose.ReadWords("told => reported unless told apart\nis no \\w+ => is not a")
	if err != nil {
		t.Fatal(err)
	}
	checker := prose.NewChecker(list)
	for _, test := range []struct{ name, text, want string }{
		{"a.go", "package a\n\n// a is told of\n// it.\nvar a = 1\n", "3 told"},
		{"a.go", "package a\n\n// a is\n// no number.\nvar a = 1\n", "3 is no number"},
		{"a.go", "package a\n\n// told is a number, `told` is code, x.told and told() too.\nvar told = 1\n", ""},
		{"a.go", "package a\n\n// a:\n//\n//\ttold = 1\nvar a = 1\n", ""},
		{"a.go", "package a\n\nvar a = \"it is told\"\n", "3 told"},
		{"a.go", "package a\n\nvar a = \"told\"\n", ""},
		{"a_test.go", "package a\n\nvar a = \"it is told\"\n", ""},
		{"a.go", "package a\n\n// a and b can be told apart.\nvar a = 1\n", ""},
		{"a.md", "told\n\n```\ntold\n```\n\n`told` [x](told/told.md)\n", "1 told"},
		{"a.sh", "told=1 # told\necho \"told\"\n", "1 told 2 told"},
		{"a.txtar", "told\n-- a --\ntold\nerror[told]: told\n", "1 told 4 told"},
		{"a.txtar", "# told\ntold\n", "1 told"},
		{"a.txt", "told\n", ""},
	} {
		found, err := checker.Check(test.name, []byte(test.text))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range found {
			got = append(got, fmt.Sprintf("%d %s", f.Line, f.Found))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s %q: found %q, expected %q", test.name, test.text, got, test.want)
		}
	}
}
