package python

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// maxNames is how many entries of a directory tree are looked at for the names of modules.
const maxNames = 10_000

var identifier = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]*$`)

// Names returns the dotted names of the modules below a directory, sorted. Hidden directories and those that can't be packages
// because of their names are left out. Of a very large tree, it returns the modules that come first.
func Names(dir string) []string {
	var out []string
	seen := 0
	_ = fs.WalkDir(os.DirFS(dir), ".", func(file string, e fs.DirEntry, err error) error {
		if seen++; seen > maxNames {
			return fs.SkipAll
		}
		switch {
		case err != nil || file == ".":
		case e.IsDir():
			if !identifier.MatchString(e.Name()) || e.Name() == "__pycache__" {
				return fs.SkipDir
			}
		case e.Name() == "__init__.py" && file != e.Name():
			out = append(out, strings.ReplaceAll(path.Dir(file), "/", "."))
		case strings.HasSuffix(e.Name(), ".py") && identifier.MatchString(strings.TrimSuffix(e.Name(), ".py")):
			out = append(out, strings.ReplaceAll(strings.TrimSuffix(file, ".py"), "/", "."))
		}
		return nil // what can't be read has no names
	})
	out = slices.DeleteFunc(out, func(name string) bool { return name == "__init__" || name == "__main__" })
	slices.Sort(out)
	return out
}

// Header returns a function's header as Python would write it, with `…` for defaults. Parameters such as *args are missing: no
// argument that is passed by name reaches them.
func (f *Function) Header() string {
	var b strings.Builder
	if f.Async {
		b.WriteString("async ")
	}
	b.WriteString("def " + f.Text + "(")
	before := Normal
	for i := range f.Params {
		p := &f.Params[i]
		if i > 0 {
			b.WriteString(", ")
		}
		if before == PositionalOnly && p.Kind != PositionalOnly {
			b.WriteString("/, ")
		}
		if p.Kind == KeywordOnly && before != KeywordOnly {
			b.WriteString("*, ")
		}
		if before = p.Kind; p.Kind == Rest {
			b.WriteString("**")
		}
		b.WriteString(p.Text)
		if p.Annotation != nil {
			b.WriteString(": " + p.Annotation.String())
		}
		switch {
		case p.Default && p.Annotation != nil:
			b.WriteString(" = …")
		case p.Default:
			b.WriteString("=…")
		}
	}
	if before == PositionalOnly {
		b.WriteString(", /")
	}
	b.WriteString(")")
	if f.Result != nil {
		b.WriteString(" -> " + f.Result.String())
	}
	return b.String()
}
