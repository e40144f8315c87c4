package evaluate

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// Source is where values of variables come from: a flag, a file or the environment.
type Source struct {
	Flag string // NAME=VALUE, of --var
	File string // a path, of --var-file
}

// EnvPrefix is how a variable is named in the environment.
const EnvPrefix = "PIPEC_VAR_"

// given is one value for a variable: text (from a flag or the environment) or an expression (from a file).
type given struct {
	text   string
	expr   hcl.Expression
	at     hcl.Range
	origin string
}

// Give takes the values for variables, from the weakest source to the strongest: pipec.auto.vars, STACK.auto.vars, the
// environment, and then flags and files in their order.
func (w *World) Give(stack string, env []string, sources []Source) {
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
		switch {
		case !ok || name == "":
			w.Diags.Add(diag.New("unknown-variable-value", hcl.Range{}, "--var %s is not of the form NAME=VALUE", s.Flag))
		case w.Variables[name] == nil:
			w.Diags.Add(w.undeclaredVariable(hcl.Range{}, name, "--var"))
		default:
			w.giveText(name, value, "--var "+name)
		}
	}
}

func (w *World) undeclaredVariable(at hcl.Range, name, origin string) diag.Diagnostic {
	return diag.New("unknown-variable-value", at, "%s gives a value for %q, and no variable of that name is declared", origin, name).
		DidYouMean(name, Names(w.Variables))
}

// giveText keeps a value that came as text; so that a diagnostic can show it, it becomes a source of its own.
func (w *World) giveText(name, value, origin string) {
	at := hcl.Range{Filename: origin, Start: hcl.InitialPos, End: hcl.InitialPos}
	at.End.Byte, at.End.Column = len(value), len(value)+1
	w.given[name] = given{text: value, at: at, origin: origin}
}

func (w *World) giveFile(path string, optional bool) {
	at := hcl.Range{Filename: path, Start: hcl.InitialPos, End: hcl.InitialPos}
	src, err := os.ReadFile(path)
	if err != nil {
		if optional && errors.Is(err, fs.ErrNotExist) {
			return
		}
		w.Diags.Add(diag.New("file-access", at, "the file of variables can't be read: %v", errors.Unwrap(err)))
		return
	}
	w.sources[path] = src
	if r := expr.Gate(src); r != nil {
		at.Start, at.End = r.Pos, r.Pos
		w.Diags.Add(diag.New("too-large", at, "%s", r.Why))
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
			w.Diags.Add(w.undeclaredVariable(a.NameRange, name, "this"))
			continue
		}
		w.given[name] = given{expr: a.Expr, at: a.Expr.Range(), origin: path}
	}
}

// readGiven makes the value of what was given: text as it is for a string, else a literal of the declared type.
func (w *World) readGiven(g given, declared cty.Type, n *Name) (cty.Value, bool) {
	node := g.expr
	if n.Sensitive {
		g.at = n.Range // where it is given, it could be read
	}
	if node == nil {
		if !n.Sensitive {
			w.sources[g.origin] = []byte(g.text)
		}
		if declared == cty.String {
			return cty.StringVal(g.text), true
		}
		parsed, err := expr.Parse(g.text)
		if err != nil {
			if declared == cty.DynamicPseudoType {
				return cty.StringVal(g.text), true
			}
			w.Diags.Add(diag.New("type-mismatch", g.at, "%s is not a literal of type %s", g.origin, types.String(declared)))
			return cty.NilVal, false
		}
		node = parsed
	}
	if len(node.Variables()) > 0 {
		if g.expr == nil && declared == cty.DynamicPseudoType {
			return cty.StringVal(g.text), true
		}
		w.Diags.Add(diag.New("not-constant", g.at, "the value of %s is a literal, without references", n.Address))
		return cty.NilVal, false
	}
	v, hclDiags := node.Value(nil)
	if hclDiags.HasErrors() {
		w.Diags.Add(diag.New("evaluation", g.at, "the value of %s is a literal, without calls", n.Address))
		return cty.NilVal, false
	}
	return w.convert(v, declared, g.at, false)
}
