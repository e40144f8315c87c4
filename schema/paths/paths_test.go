package paths

import (
	"iter"
	"path"
	"slices"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// tree is a file system: the paths of its entries.
type tree struct {
	all   []string
	reads int
}

func (t *tree) Exists(name string) bool {
	for _, one := range t.all {
		if one == name || strings.HasPrefix(one, name+"/") {
			return true
		}
	}
	return false
}

func (t *tree) Names(dir string) iter.Seq[string] {
	t.reads++
	var names []string
	for _, one := range t.all {
		if rest, ok := strings.CutPrefix(one, strings.TrimSuffix(dir, "/")+"/"); ok {
			name, _, _ := strings.Cut(rest, "/")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Values(slices.Compact(names))
}

const (
	one = "\u00e9"         // é as one character
	two = "e\u0301"        // é as two
	abc = "a\u0301\u0323b" // two marks, in an order that is in no normal form
	bca = "a\u0323\u0301b"
)

func TestLookup(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		path  string
		want  string
		fails string
		reads int
	}{
		{name: "as it is written", files: []string{"/p/" + one}, path: one, want: one},
		{name: "in two characters", files: []string{"/p/" + two, "/p/x"}, path: one, want: two, reads: 1},
		{name: "the other way round", files: []string{"/p/" + one}, path: two, want: one, reads: 1},
		{name: "both", files: []string{"/p/" + one, "/p/" + two}, path: one, want: one},
		{name: "both, in two characters", files: []string{"/p/" + one, "/p/" + two}, path: two, want: two},
		{name: "neither", files: []string{"/p/" + abc, "/p/" + bca}, path: norm.NFC.String(abc), reads: 1, fails: `can be the file "a\u0301\u0323b" and the file "a\u0323\u0301b": rename one of them`},
		{name: "deep", files: []string{"/p/d/" + two + "/" + two + "/x"}, path: "d/" + one + "/" + one + "/x", want: "d/" + two + "/" + two + "/x", reads: 2},
		{name: "only a part exists", files: []string{"/p/" + two + "/x"}, path: one + "/" + one + "/y", want: two + "/" + one + "/y", reads: 2},
		{name: "absolute", files: []string{"/q/" + two}, path: "/q/" + one, want: "/q/" + two, reads: 1},
		{name: "above", files: []string{"/q/" + two, "/p/x"}, path: "../q/./" + one, want: "../q/./" + two, reads: 1},
		{name: "ASCII", files: []string{"/p/" + two}, path: "x/y", want: "x/y"},
		{name: "nothing", files: []string{"/p/x"}, path: one, want: one, reads: 1},
	} {
		files := &tree{all: c.files}
		got, err := Lookup(files, "/p", c.path)
		if c.fails != "" {
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v, want %s", c.name, err, c.fails)
			}
		} else if got != c.want || err != nil {
			t.Errorf("%s: %+q, %v, want %+q", c.name, got, err, c.want)
		}
		if files.reads != c.reads {
			t.Errorf("%s: %d directories were read, want %d", c.name, files.reads, c.reads)
		}
	}
}

// A path whose file exists is found, whatever its form is; the file that is found is equal to the path in form C.
func TestFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		names := rapid.SliceOfN(rapid.SampledFrom([]string{one, two, "x", abc, bca, "\u212b", "\u00c5"}), 1, 3)
		files := &tree{}
		for range rapid.IntRange(1, 5).Draw(t, "files") {
			files.all = append(files.all, "/"+strings.Join(names.Draw(t, "file"), "/"))
		}
		name := strings.Join(names.Draw(t, "path"), "/")
		found, err := Lookup(files, "/", name)
		if err != nil {
			return
		}
		if Form(found) != Form(name) {
			t.Fatalf("%+q is found for %+q", found, name)
		}
		if files.Exists(path.Join("/", name)) && found != name {
			t.Fatalf("%+q exists, but %+q is found", name, found)
		}
	})
}
