package evaluate

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
)

// Source is a source of values for variables: a flag or a file.
type Source struct {
	Flag string // NAME=VALUE, of --var
	File string // a path, of --var-file
}

// EnvPrefix is the prefix of a variable's name in the environment.
const EnvPrefix = "PIPEC_VAR_"

// given is one value for a variable: text (from a flag or the environment), an expression (from a file), or the value of an
// expression in the importer of a library.
type given struct {
	text   string
	expr   hcl.Expression
	src    []byte    // of expr, if it is from a file
	json   bool      // expr is from a file in JSON
	value  cty.Value // cty.NilVal: not evaluated yet
	at     hcl.Range
	origin string
}

// Given holds the values that were set for variables from outside of the project's files, the strongest of each.
type Given struct {
	declared map[string]*Name
	values   map[string]given
	importer *decode.Block // for a library: the block that read it first
	scope    *Scope        // for suggestions
	sources  map[string][]byte
	diags    *diag.List
	dir      string   // of the project; "" for a library
	read     []string // the names of files that are read if they exist
}

// automatic reads pipec.auto.vars and the file of the stack, each followed by the one in JSON.
func (s *Given) automatic(dir, stack string) {
	names := []string{"pipec"}
	if stack != "" {
		names = append(names, stack)
	}
	s.dir = dir
	for _, name := range names {
		for _, file := range []string{name + ".auto.vars", name + ".auto.vars.json"} {
			s.read = append(s.read, file)
			s.file(filepath.Join(dir, file), true)
		}
	}
}

// unread returns the names of the project's files of variables that are not read: those of other stacks, and those of no stack.
func (s *Given) unread() []string {
	var out []string
	for _, pattern := range []string{"*.auto.vars", "*.auto.vars.json"} {
		found, err := fs.Glob(os.DirFS(s.dir), pattern)
		if s.dir == "" || err != nil {
			return nil
		}
		out = append(out, slices.DeleteFunc(found, func(name string) bool { return slices.Contains(s.read, name) })...)
	}
	return out
}

// HasVariables reports whether a stack has values of variables of its own, in a file beside the project's.
func HasVariables(dir, stack string) bool {
	for _, ending := range []string{".auto.vars", ".auto.vars.json"} {
		if _, err := os.Lstat(filepath.Join(dir, stack+ending)); err == nil {
			return true
		}
	}
	return false
}

// environment reads the entries NAME=VALUE that are about variables.
func (s *Given) environment(env []string) {
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if name, ok := strings.CutPrefix(name, EnvPrefix); ok && s.declared[name] != nil {
			s.text(name, value, "the environment variable "+EnvPrefix+name)
		}
	}
}

// named reads flags and files in their order.
func (s *Given) named(sources []Source) {
	for _, source := range sources {
		if source.File != "" {
			s.file(source.File, false)
			continue
		}
		name, value, ok := strings.Cut(source.Flag, "=")
		name = strings.TrimSpace(name)
		at := s.inFlag("--var", name)
		switch {
		case !ok || name == "":
			s.diags.Add(diag.New("unknown-variable-value", at, "--var: expected NAME=VALUE, found no ="))
		case s.declared[name] == nil:
			s.diags.Add(s.undeclared(at, name))
		default:
			s.text(name, value, "--var "+name)
		}
	}
}

// inFlag returns a range for a value from a flag, so that a diagnostic can point at it. The value is not shown, because it
// may be a secret.
func (s *Given) inFlag(flag, name string) hcl.Range {
	origin := flag + " " + name
	s.sources[origin] = []byte(name)
	at := hcl.Range{Filename: origin, Start: hcl.InitialPos, End: hcl.InitialPos}
	at.End.Byte, at.End.Column = len(name), len([]rune(name))+1
	return at
}

func (s *Given) undeclared(at hcl.Range, name string) diag.Diagnostic {
	d := diag.New("unknown-variable-value", at, "there is a value for %q, but no variable of that name is declared", name)
	return s.scope.Near(d, "var.", name, func() []string { return Names(s.declared) })
}

// text stores a value that was set as text. It becomes a source of its own, so that a diagnostic can show it.
func (s *Given) text(name, value, origin string) {
	at := hcl.Range{Filename: origin, Start: hcl.InitialPos, End: hcl.InitialPos}
	at.End.Byte, at.End.Column = len(value), len([]rune(value))+1
	s.values[name] = given{text: value, at: at, origin: origin}
}
