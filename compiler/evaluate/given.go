package evaluate

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
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
	value  cty.Value // cty.NilVal: not evaluated yet
	at     hcl.Range
	origin string
}

// Give sets the values of variables, from the weakest source to the strongest: pipec.auto.vars, STACK.auto.vars, the
// environment, and then flags and files in their order.
func (w *Project) Give(stack string, env []string, sources []Source) {
	w.giveFile(filepath.Join(w.Dir, "pipec.auto.vars"), true)
	if stack != "" {
		w.giveFile(filepath.Join(w.Dir, stack+".auto.vars"), true)
	}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if name, ok := strings.CutPrefix(name, EnvPrefix); ok && w.Variables[name] != nil {
			w.giveText(name, value, "the environment variable "+EnvPrefix+name)
		}
	}
	for _, s := range sources {
		if s.File != "" {
			w.giveFile(s.File, false)
			continue
		}
		name, value, ok := strings.Cut(s.Flag, "=")
		name = strings.TrimSpace(name)
		at := w.inFlag("--var", name)
		switch {
		case !ok || name == "":
			w.Diags.Add(diag.New("unknown-variable-value", at, "--var: expected NAME=VALUE, found no ="))
		case w.Variables[name] == nil:
			w.Diags.Add(w.undeclaredVariable(at, name))
		default:
			w.giveText(name, value, "--var "+name)
		}
	}
}

// inFlag returns a range for a value from a flag, so that a diagnostic can point at it. The value is not shown, because it
// may be a secret.
func (w *Project) inFlag(flag, name string) hcl.Range {
	origin := flag + " " + name
	w.sources[origin] = []byte(name)
	at := hcl.Range{Filename: origin, Start: hcl.InitialPos, End: hcl.InitialPos}
	at.End.Byte, at.End.Column = len(name), len([]rune(name))+1
	return at
}

func (w *Project) undeclaredVariable(at hcl.Range, name string) diag.Diagnostic {
	d := diag.New("unknown-variable-value", at, "there is a value for %q, but no variable of that name is declared", name)
	return w.Near(d, "var.", name, func() []string { return Names(w.Variables) })
}

// giveText stores a value that was set as text. It becomes a source of its own, so that a diagnostic can show it.
func (w *Project) giveText(name, value, origin string) {
	at := hcl.Range{Filename: origin, Start: hcl.InitialPos, End: hcl.InitialPos}
	at.End.Byte, at.End.Column = len(value), len([]rune(value))+1
	w.given[name] = given{text: value, at: at, origin: origin}
}

func (w *Project) giveFile(path string, optional bool) {
	at := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
	src, err := readGiven(path, optional)
	if err != nil {
		if optional && errors.Is(err, fs.ErrNotExist) {
			return
		}
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		w.Diags.Add(diag.New("file-access", at, "the file of variables can't be read: %v", err))
		return
	}
	if !w.hasSensitive() { // with sensitive variables, a line that a diagnostic shows could contain a secret
		w.sources[path] = src
	}
	if !utf8.Valid(src) {
		w.Diags.Add(diag.New("encoding", at, "the file of variables is not UTF-8 text"))
		return
	}
	if r := expr.Gate(src); r != nil {
		at.Start, at.End = r.Pos, r.Pos
		code := "too-large"
		if r.Unclosed {
			code = "unclosed"
		}
		w.Diags.Add(diag.New(code, at, "%s", r.Why))
		return
	}
	file, hclDiags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	w.Diags.Add(diag.FromHCL(hclDiags, w.sources)...)
	if hclDiags.HasErrors() {
		return
	}
	attrs, hclDiags := file.Body.JustAttributes()
	w.Diags.Add(diag.FromHCL(hclDiags, w.sources)...)
	for _, name := range Names(attrs) {
		a := attrs[name]
		if w.Variables[name] == nil {
			w.Diags.Add(w.undeclaredVariable(a.NameRange, name))
			continue
		}
		w.given[name] = given{expr: a.Expr, at: a.Expr.Range(), origin: path}
	}
}

// readGiven reads a file of variables. A file that the user names may be a pipe, for example a shell's <(…).
func readGiven(path string, regular bool) ([]byte, error) {
	if regular {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, errors.New("it is not a regular file")
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, expr.MaxFile+1))
}

// valueGiven converts a given value to the declared type. A string is taken as it is; other types are read as a literal.
func (w *Project) valueGiven(g given, declared cty.Type, n *Name) (cty.Value, bool) {
	if g.value != cty.NilVal {
		return w.valueImported(g, declared, n)
	}
	node := g.expr
	if n.Sensitive {
		g.at = n.Range // a value that the user sets is shown where the variable is declared
	}
	if node == nil {
		if !n.Sensitive {
			w.sources[g.origin] = []byte(g.text)
		}
		if declared == cty.String {
			return cty.StringVal(g.text), true
		}
		parsed, err := expr.Parse(g.text)
		switch {
		case declared == cty.DynamicPseudoType && (err != nil || len(parsed.Variables()) > 0):
			return cty.StringVal(g.text), true
		case err != nil || len(parsed.Variables()) > 0:
			w.Diags.Add(notWritten(g.at, declared, n))
			return cty.NilVal, false
		}
		node = parsed
	}
	if len(node.Variables()) > 0 {
		w.Diags.Add(diag.New("not-constant", g.at, "the value of %s must be a literal: it can't contain references", n.Address))
		return cty.NilVal, false
	}
	v, hclDiags := node.Value(nil)
	if hclDiags.HasErrors() {
		w.Diags.Add(diag.New("evaluation", g.at, "the value of %s must be a literal: it can't call functions or fail", n.Address))
		return cty.NilVal, false
	}
	out, err := types.Convert(v, declared)
	if err != nil {
		at := hcl.Expression(hcl.StaticExpr(v, g.at))
		if g.expr != nil && !n.Sensitive {
			at = g.expr
		}
		w.Diags.Add(Mismatch(at, v.Type(), declared, err))
		return cty.NilVal, false
	}
	return out, true
}

// notWritten reports text that is not a literal of the declared type.
func notWritten(at hcl.Range, declared cty.Type, n *Name) diag.Diagnostic {
	d := diag.New("type-mismatch", at, "expected %s for %s, but this text can't be read as one", types.Phrase(declared), n.Address)
	switch {
	case declared == cty.Bool:
		return d.WithSuggestion("write true or false")
	case declared.IsListType() || declared.IsSetType() || declared.IsTupleType():
		return d.WithSuggestion(`write it as in a file: ["a", "b"]`)
	case declared.IsMapType() || declared.IsObjectType():
		return d.WithSuggestion(`write it as in a file: { a = 1, b = 2 }`)
	}
	return d
}
