// Package evaluate evaluates the part of a project that is known when compiling: its variables with their values, its
// locals, its stacks, images and codes. Names may refer forward, so values are computed on demand, each once.
//
// What waits for run time (params, steps) belongs to package check. This package knows only which kinds of references a
// constant may contain.
package evaluate

import (
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/schema/types"
)

// Project contains the declarations of a project or of a library, and the values of its constants. It is not safe for
// concurrent use.
type Project struct {
	Dir       string
	Root      string          // for a library: its directory, relative to the compiled project's, with slashes
	Blocks    []*decode.Block // all declarations
	Diags     *diag.List
	Name      string        // the project's name; "" if it has none
	Settings  *decode.Block // the `project` block; nil if there is none
	Variables map[string]*Name
	Locals    map[string]*Name
	Stacks    map[string]*decode.Block
	Images    map[string]*decode.Block
	Codes     map[string]*decode.Block
	Pipelines map[string]*decode.Block
	Libraries map[string]*decode.Block
	Imports   map[string]*Project // the libraries, by their names here, except the faulty ones

	importer  *decode.Block // for a library: the block that read it first
	given     map[string]given
	stack     []*Name // being evaluated, outermost first
	used      map[*decode.Block]bool
	functions map[string]function.Function
	sources   map[string][]byte
	each      *Each
	near      int // how many unknown names have been searched among the known ones
}

// Name is a variable or a local.
type Name struct {
	Address   string // var.x, local.x
	Range     hcl.Range
	Sensitive bool
	Used      bool

	block   *decode.Block  // of a variable
	expr    hcl.Expression // of a local
	state   state
	ordered bool      // is in the order of some name
	value   cty.Value // cty.NilVal if it is faulty
}

type state int

const (
	untouched state = iota
	visiting
	done
)

// New collects the declarations. It evaluates nothing except the project's name.
func New(dir string, blocks []*decode.Block, sources map[string][]byte, diags *diag.List) *Project {
	w := &Project{
		Dir: dir, Blocks: blocks, Diags: diags, sources: sources,
		Variables: map[string]*Name{}, Locals: map[string]*Name{},
		Stacks: map[string]*decode.Block{}, Images: map[string]*decode.Block{}, Codes: map[string]*decode.Block{},
		Pipelines: map[string]*decode.Block{}, Libraries: map[string]*decode.Block{}, Imports: map[string]*Project{}, used: map[*decode.Block]bool{}, given: map[string]given{},
	}
	w.functions = Functions(dir)
	named := map[string]map[string]*decode.Block{"stack": w.Stacks, "image": w.Images, "code": w.Codes, "pipeline": w.Pipelines, "library": w.Libraries}
	for _, b := range blocks {
		switch b.Def.Name {
		case "variable":
			w.declare(w.Variables, &Name{Address: "var." + b.Label, Range: b.LabelRange, block: b}, b.Label)
		case "locals":
			for _, a := range b.Sorted() {
				w.declare(w.Locals, &Name{Address: "local." + a.Name, Range: a.NameRange, expr: a.Expr}, a.Name)
			}
		default:
			if m, ok := named[b.Def.Name]; ok {
				Declare(m, b, diags)
			}
		}
	}
	for _, b := range blocks {
		if b.Def.Name == "pipec" {
			w.settings(b)
		}
	}
	return w
}

func (w *Project) settings(b *decode.Block) {
	w.Settings = b
	name, ok := w.String(b, "project")
	if ok && !decode.ValidName(name) {
		w.Diags.Add(diag.New("invalid-name", b.Attr("project").Range(), "%q is not a valid name for a project", name).WithDetail(decode.NameRule))
		return
	}
	w.Name = name
}

func (w *Project) declare(names map[string]*Name, n *Name, label string) {
	if first, twice := names[label]; twice {
		w.Diags.Add(diag.New("duplicate", n.Range, "%s is declared twice", n.Address).
			WithRelated(first.Range, "the first declaration is here"))
		return
	}
	names[label] = n
}

// Declare adds b to the declarations of its kind, or reports that its name is already declared.
func Declare(among map[string]*decode.Block, b *decode.Block, diags *diag.List) bool {
	if first, twice := among[b.Label]; twice {
		diags.Add(diag.New("duplicate", b.LabelRange, "%s %q is declared twice", b.Def.Name, b.Label).
			WithRelated(first.LabelRange, "the first declaration is here"))
		return false
	}
	among[b.Label] = b
	return true
}

// Names returns the sorted names of declarations, for suggestions.
func Names[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// Use finds an image, a code, a pipeline or a library by name and marks it as used.
func (w *Project) Use(among map[string]*decode.Block, name string) *decode.Block {
	b := among[name]
	if b != nil {
		w.used[b] = true
	}
	return b
}

// All evaluates every variable and local, so that faults in unused ones are reported too, and then reports what is unused.
func (w *Project) All() {
	for _, names := range []map[string]*Name{w.Variables, w.Locals} {
		for _, key := range Names(names) {
			w.visit(names[key])
		}
	}
}

// Unused reports declarations that nothing uses.
func (w *Project) Unused() {
	for _, names := range []map[string]*Name{w.Variables, w.Locals} {
		for _, key := range Names(names) {
			if n := names[key]; !n.Used {
				w.Diags.Add(diag.New("unused", n.Range, "%s is never used", n.Address))
			}
		}
	}
	for kind, m := range map[string]map[string]*decode.Block{"image": w.Images, "code": w.Codes, "library": w.Libraries} {
		for _, name := range Names(m) {
			if !w.used[m[name]] {
				w.Diags.Add(diag.New("unused", m[name].LabelRange, "%s.%s is never used", kind, name))
			}
		}
	}
}

// Const returns the value of an expression that must be known when compiling. It reports an expression without such a
// value, and returns false.
func (w *Project) Const(e hcl.Expression) (cty.Value, bool) {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		w.Diags.Add(diag.New("syntax", e.Range(), "this expression is not in HCL's own syntax"))
		return cty.NilVal, false
	}
	if v, plain := literal(node); plain {
		return v, true
	}
	if infer.Type(node, constScope{w}, w.Diags) == cty.NilType {
		return cty.NilVal, false
	}
	return w.Value(node)
}

// literal returns the value of an expression that is one literal. This is the most common case, so it has a fast path.
func literal(node hclsyntax.Expression) (cty.Value, bool) {
	switch node := node.(type) {
	case *hclsyntax.LiteralValueExpr:
		return node.Val, true
	case *hclsyntax.TemplateExpr:
		if node.IsStringLiteral() {
			v, _ := node.Value(nil)
			return v, true
		}
	}
	return cty.NilVal, false
}

// Value evaluates an expression whose references have been resolved and all name variables and locals.
func (w *Project) Value(node hclsyntax.Expression) (cty.Value, bool) {
	if v, plain := literal(node); plain {
		return v, true
	}
	roots := map[string]map[string]cty.Value{}
	for _, t := range node.Variables() {
		root := t.RootName()
		attr, ok := second(t)
		if !ok || root != "var" && root != "local" && (root != "each" || w.each == nil) {
			continue // a variable of `for`
		}
		v, ok := w.valueOf(root, attr)
		if !ok {
			return cty.NilVal, false
		}
		if roots[root] == nil {
			roots[root] = map[string]cty.Value{}
		}
		roots[root][attr] = v
	}
	ctx := &hcl.EvalContext{Functions: w.functions, Variables: map[string]cty.Value{}}
	for root, attrs := range roots {
		ctx.Variables[root] = cty.ObjectVal(attrs)
	}
	v, hclDiags := node.Value(ctx)
	if hclDiags.HasErrors() {
		w.evaluationFault(node, ctx, hclDiags)
		return cty.NilVal, false
	}
	if !types.Finite(v) {
		w.Diags.Add(diag.New("evaluation", node.Range(), "this value is infinite, for example after a division by zero, or has too many digits"))
		return cty.NilVal, false
	}
	return v, true
}

func (w *Project) evaluationFault(node hclsyntax.Expression, ctx *hcl.EvalContext, hclDiags hcl.Diagnostics) {
	for _, v := range ctx.Variables {
		if IsSensitive(v) { // the reason could quote the value
			w.Diags.Add(diag.New("evaluation", node.Range(), "this can't be evaluated").
				WithDetail("The reason is not shown, because the expression reads a sensitive variable."))
			return
		}
	}
	for _, h := range hclDiags {
		w.Diags.Add(fault(node, h))
	}
}

// fault shortens HCL's error about an expression that can't be evaluated.
func fault(node hclsyntax.Expression, h *hcl.Diagnostic) diag.Diagnostic {
	at, code := node.Range(), "evaluation"
	if h.Subject != nil {
		at = *h.Subject
	}
	text := h.Detail
	if text == "" {
		text = h.Summary
	}
	text = trimSentence(text)
	if call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](h); ok {
		name := call.CalledFunctionName()
		if _, reason, found := strings.Cut(text, " failed: "); found {
			text = reason
		} else if _, reason, found := strings.Cut(text, " parameter: "); found {
			text = reason
		}
		text = name + ": " + text
		if IsFileFunction(name) {
			code = "file-access"
		}
		if e, ok := h.Expression.(*hclsyntax.FunctionCallExpr); ok {
			at = e.Range()
		}
	}
	return diag.New(code, at, "%s", text)
}

// second returns the name behind a root: x of var.x.
func second(t hcl.Traversal) (string, bool) {
	if len(t) < 2 {
		return "", false
	}
	a, ok := t[1].(hcl.TraverseAttr)
	return a.Name, ok
}
