package pipec_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTestdataPage compares testdata/README.md with the folders beside it: each has a section and a line of the table, and
// each section and each line has a folder with archives.
func TestTestdataPage(t *testing.T) {
	page, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	archives, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for _, file := range archives {
		folders = append(folders, filepath.Base(filepath.Dir(file)))
	}
	folders = slices.Compact(folders)
	slices.Sort(folders)
	for what, pattern := range map[string]string{"section": `(?m)^## (.+)$`, "line of the table": `(?m)^\| \[(.+?)/\]`} {
		var described []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(page), -1) {
			described = append(described, m[1])
		}
		slices.Sort(described)
		if !slices.Equal(described, folders) {
			t.Errorf("testdata/README.md has a %s for %s; testdata has %s", what, strings.Join(described, ", "), strings.Join(folders, ", "))
		}
	}
}
