package pipec_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// TestArchitecturePage compares the tree of folders on docs/architecture.md with the repository: every folder with Go
// files is on the page at its full path, every path on the page exists, and exactly the Go modules are called modules.
func TestArchitecturePage(t *testing.T) {
	page, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	listed, err := folderTree(string(page))
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range comparePage(os.DirFS("."), listed) {
		t.Errorf("docs/architecture.md: %s", problem)
	}
}

// folder is one line of the page's tree.
type folder struct {
	path   string // from the repository's root, without a slash at the end
	module bool   // the text calls it a Go module
}

// folderTree parses the page's tree: the first code block in which the first word ends in a slash. Each line is a name,
// indented by two spaces for each folder that it is in, and a description.
func folderTree(page string) ([]folder, error) {
	var block string
	for i, part := range strings.Split(page, "\n```") {
		if first, _, _ := strings.Cut(strings.TrimSpace(part), "\n"); i%2 == 1 && strings.HasSuffix(strings.Fields(first + " -")[0], "/") {
			block = strings.Trim(part, "\n")
			break
		}
	}
	if block == "" {
		return nil, fmt.Errorf("the page has no tree of folders")
	}
	var out []folder
	var parents []string
	for line := range strings.Lines(block) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		depth := indent / 2
		if indent%2 != 0 || depth > len(parents) || !strings.HasSuffix(name, "/") {
			return nil, fmt.Errorf("%q is not a folder, indented by two spaces below its parent", strings.TrimRight(line, "\n"))
		}
		parents = append(parents[:depth], path.Clean(name))
		text = strings.TrimSpace(text)
		if text == "" && depth > 0 {
			return nil, fmt.Errorf("%s has no description", path.Join(parents...))
		}
		out = append(out, folder{path: path.Join(parents...), module: strings.HasPrefix(text, "Go module")})
	}
	return out, nil
}

// comparePage returns the differences between the page's tree and the files of the repository.
func comparePage(repository fs.FS, listed []folder) []string {
	var out []string
	seen := map[string]bool{}
	for _, f := range listed {
		if seen[f.path] {
			out = append(out, f.path+" is listed twice")
		}
		seen[f.path] = true
		if info, err := fs.Stat(repository, f.path); err != nil || !info.IsDir() {
			out = append(out, f.path+" is not a folder of the repository")
			continue
		}
		if _, err := fs.Stat(repository, f.path+"/go.mod"); (err == nil) != f.module {
			out = append(out, fmt.Sprintf("%s: called a Go module: %t, has a go.mod: %t", f.path, f.module, err == nil))
		}
	}
	for _, dir := range goFolders(repository) {
		if !seen[dir] {
			out = append(out, dir+" contains Go files and is not listed")
		}
	}
	return out
}

// goFolders returns the folders below the root that contain Go files, in every module of the repository. It leaves out
// what the go command leaves out: testdata, and names that start with a dot or an underscore.
func goFolders(repository fs.FS) []string {
	var out []string
	_ = fs.WalkDir(repository, ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case d.IsDir() && (base == "testdata" || base != "." && strings.ContainsAny(base[:1], "._")):
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(name, ".go") && path.Dir(name) != ".":
			out = append(out, path.Dir(name))
		}
		return nil
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// TestComparePage breaks each rule of the page once.
func TestComparePage(t *testing.T) {
	repository := fstest.MapFS{
		"a/a.go": {}, "a/b/b.go": {}, "a/b/testdata/x.go": {}, "tools/go.mod": {}, "tools/t/t.go": {}, "docs/index.md": {},
	}
	for _, c := range []struct {
		name, tree string
		want       string // the only difference; "" for none
	}{
		{"complete", "a/  text\n  b/  text\ntools/  Go module: text\n  t/  text\ndocs/", ""},
		{"missing package", "a/  text\ntools/  Go module\n  t/  text", "a/b contains Go files and is not listed"},
		{"at another path", "a/  text\n  b/  text\n  t/  text\ntools/  Go module\n  t/  text", "a/t is not a folder of the repository"},
		{"twice", "a/  text\n  b/  text\n  b/  text\ntools/  Go module\n  t/  text", "a/b is listed twice"},
		{"a file", "a/  text\n  b/  text\n  a.go/  text\ntools/  Go module\n  t/  text", "a/a.go is not a folder of the repository"},
		{"not called a module", "a/  text\n  b/  text\ntools/  text\n  t/  text", "tools: called a Go module: false, has a go.mod: true"},
		{"no module", "a/  Go module\n  b/  text\ntools/  Go module\n  t/  text", "a: called a Go module: true, has a go.mod: false"},
		{"indented too far", "a/  text\n    b/  text", `"    b/  text" is not a folder, indented by two spaces below its parent`},
		{"no description", "a/  text\n  b/", "a/b has no description"},
	} {
		listed, err := folderTree("# Page\n\n```\nsource → program\n```\n\n```\n" + c.tree + "\n```\n")
		got := comparePage(repository, listed)
		if err != nil {
			got = []string{err.Error()}
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}
