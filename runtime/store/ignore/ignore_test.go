package ignore_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/runtime/store/ignore"
)

// tree creates files, given as path and content by turns.
func tree(t interface{ Fatal(...any) }, dir string, files map[string]string) {
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// left returns the files that are not left out, sorted.
func left(t interface{ Fatal(...any) }, root, project string) []string {
	rules := ignore.New(root, project)
	var out []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil || name == ".":
			return err
		case e.Name() == ".git" && e.IsDir():
			return fs.SkipDir
		case rules.Ignored(filepath.ToSlash(name), e.IsDir()):
			if e.IsDir() {
				return fs.SkipDir
			}
		case !e.IsDir():
			out = append(out, filepath.ToSlash(name))
		}
		return nil
	})
	if err != nil || rules.Err() != nil {
		t.Fatal(err, rules.Err())
	}
	slices.Sort(out)
	return out
}

func TestIgnored(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, map[string]string{
		".git/HEAD": "", ".gitignore": "*.csv\n/top.txt\n", "top.txt": "", "src/.gitignore": "*.log\n!keep.log\nout/\n",
		"src/.pipecignore": "notes.md\n!data.csv\n", "src/a.py": "", "src/a.log": "", "src/keep.log": "", "src/out/x": "", "src/notes.md": "",
		"src/data.csv": "", "src/more.csv": "", "src/pkg/.gitignore": "!b.log\n", "src/pkg/b.log": "", "src/pkg/top.txt": "",
	})
	want := []string{".gitignore", ".pipecignore", "a.py", "data.csv", "keep.log", "pkg/.gitignore", "pkg/b.log", "pkg/top.txt"}
	if got := left(t, filepath.Join(dir, "src"), dir); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	// Without a repository, the patterns of the project count, and without a project those of the directory.
	if err := os.RemoveAll(filepath.Join(dir, ".git")); err != nil {
		t.Fatal(err)
	}
	if got := left(t, filepath.Join(dir, "src"), dir); !slices.Equal(got, want) {
		t.Errorf("without a repository: got %q", got)
	}
	if got := left(t, filepath.Join(dir, "src"), filepath.Join(dir, "other")); !slices.Contains(got, "more.csv") {
		t.Errorf("without a project: got %q", got)
	}
}

func TestTooLarge(t *testing.T) {
	dir := t.TempDir()
	tree(t, dir, map[string]string{".gitignore": strings.Repeat("x\n", 1<<20), "a": ""})
	rules := ignore.New(dir, dir)
	rules.Ignored("a", false)
	if rules.Err() == nil || !strings.Contains(rules.Err().Error(), "more than 1048576 bytes") {
		t.Errorf("got %v", rules.Err())
	}
}

// TestAsGit compares random patterns with git.
func TestAsGit(t *testing.T) {
	git, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	parts := []string{
		"a", "b", "ab", "*", "**", "?", "/", "/", "/", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "[[:alpha:]]", "[[:punct:]]", "[!-0]", `\*`, `\a`, "!",
		".c", "#", " ", `\ `, "***", "[", "]", "c/", "**/", "/**",
	}
	fixed := []string{
		"a", "/a", "a/", "a/b", "**/b", "a/**", "a/**/c", "*.c", "!a/b", `\!a`, `\#a`, "#a", "a ", `a\ `, "[!a]", "[[:digit:]]", "***", "a**", "/*", "!/a",
		"a//b", "/", "!", "**", "**/", "/**", "a[", `a\`, "[]a]", "[a", "[z-a]", "a\r", "[[:none:]]", "a/*/c",
	}
	files := map[string]string{}
	for _, name := range []string{
		"a", "b", "ab", "!a", "#a", "a ", "*", "]", "-", "a.c", "c/a", "c/b", "c/a.c", "d/a/b", "d/a/c", "d/ab/a", "d/b/c/a", "e/a/b/c", "e/c/a/b", "1", "e/1",
	} {
		files[name] = ""
	}
	compare := func(t interface {
		Fatal(...any)
		Fatalf(string, ...any)
	}, dir, top, inner string) {
		tree(t, dir, map[string]string{".gitignore": top, "d/.gitignore": inner})
		var names []string
		for name := range files {
			names = append(names, name)
		}
		slices.Sort(names)
		cmd := exec.Command(git, "-c", "core.quotePath=false", "-c", "core.excludesFile=", "check-ignore", "--no-index", "--stdin", "-z")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(strings.Join(names, "\x00")+"\x00")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if exit, ok := err.(*exec.ExitError); err != nil && (!ok || exit.ExitCode() != 1) {
			t.Fatal(err, stderr.String())
		}
		ignored := strings.Split(string(out), "\x00")
		var want []string
		for _, name := range names {
			if !slices.Contains(ignored, name) {
				want = append(want, name)
			}
		}
		got := slices.DeleteFunc(left(t, dir, dir), func(name string) bool { return filepath.Base(name) == ".gitignore" })
		if !slices.Equal(got, want) {
			t.Fatalf("with %q, and %q in d, git leaves\n%q, and not\n%q", top, inner, want, got)
		}
	}
	dir := t.TempDir()
	tree(t, dir, files)
	if out, err := exec.Command(git, "init", "-q", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, one := range fixed {
		compare(t, dir, one+"\n", "")
		compare(t, dir, "*\n!*/\n", "!"+one+"\n")
		compare(t, dir, fmt.Sprintf("%s\n!%s\n", "a", one), one)
	}
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.Custom(func(t *rapid.T) string {
			return strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 5).Draw(t, "parts"), "")
		})
		lines := rapid.SliceOfN(line, 0, 4)
		compare(t, dir, strings.Join(lines.Draw(t, "top"), "\n"), strings.Join(lines.Draw(t, "inner"), "\n"))
	})
}
