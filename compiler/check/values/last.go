package values

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

// LastSuccess replaces last_success(pipeline.p, "output") by the reference that stands for it in a program. The call must be
// the whole expression, or an argument of a coalesce or try that is the whole expression. It returns false if the call is
// invalid.
func (e *Evaluator) LastSuccess(x hcl.Expression) (hcl.Expression, bool) {
	bare := x
	for {
		switch node := bare.(type) {
		case *hclsyntax.ParenthesesExpr:
			bare = node.Expression
			continue
		case *hclsyntax.TemplateWrapExpr:
			bare = node.Wrapped
			continue
		case *hclsyntax.FunctionCallExpr:
			switch node.Name {
			case "last_success":
				return e.lastReference(node)
			case "coalesce", "try":
				return e.lastArguments(x, node)
			}
		}
		return x, true
	}
}

// lastArguments replaces the calls among the arguments of x, a call of coalesce or try.
func (e *Evaluator) lastArguments(x hcl.Expression, call *hclsyntax.FunctionCallExpr) (hcl.Expression, bool) {
	out, good, changed := *call, true, false
	out.Args = make([]hclsyntax.Expression, len(call.Args))
	for i, arg := range call.Args {
		out.Args[i] = arg
		written, ok := e.LastSuccess(arg)
		if node, isNode := written.(hclsyntax.Expression); isNode && node != arg {
			out.Args[i], changed = node, true
		}
		good = good && ok
	}
	if !changed {
		return x, good
	}
	return &out, good
}

// lastReference returns the reference for one call of last_success.
func (e *Evaluator) lastReference(call *hclsyntax.FunctionCallExpr) (hcl.Expression, bool) {
	at := call.Range()
	if len(call.Args) != 2 || call.ExpandFinal {
		e.diags.Add(diag.New("function-call", at, "last_success takes two arguments, a pipeline and the name of an output: last_success(pipeline.NAME, \"OUTPUT\")"))
		return nil, false
	}
	if e.project.Root != "" {
		e.diags.Add(diag.New("out-of-place", at, "last_success can't be used in a library, because the pipelines of a library have no runs").
			WithSuggestion("pass the value as a param"))
		return nil, false
	}
	b := e.lastPipeline(call.Args[0])
	name, ok := e.project.Constants.Const(call.Args[1])
	if b == nil || !ok {
		return nil, false
	}
	if name.IsNull() || name.Type() != cty.String || evaluate.IsSensitive(name) {
		e.diags.Add(diag.New("type-mismatch", call.Args[1].Range(), "expected the name of an output, as a string"))
		return nil, false
	}
	out := e.lastOutput(b, name.AsString(), call.Args[1].Range())
	if out == nil {
		return nil, false
	}
	return &hclsyntax.ScopeTraversalExpr{SrcRange: at, Traversal: hcl.Traversal{
		hcl.TraverseRoot{Name: program.LastSuccessRoot, SrcRange: at},
		hcl.TraverseAttr{Name: b.Label, SrcRange: at},
		hcl.TraverseAttr{Name: out.Label, SrcRange: at},
	}}, true
}

// lastPipeline returns the pipeline that the first argument names, or nil.
func (e *Evaluator) lastPipeline(x hcl.Expression) *decode.Block {
	name, ok := attribute.Reference(x, "pipeline")
	if !ok {
		d := diag.New("type-mismatch", x.Range(), "expected a pipeline of the project: pipeline.NAME")
		e.diags.Add(d.WithDetail("%s", evaluate.Listed("Declared", evaluate.Names(e.project.Pipelines))))
		return nil
	}
	b := e.project.Pipelines[name]
	if b == nil {
		d := diag.New("unknown-reference", x.Range(), "no pipeline is named %q", name)
		e.diags.Add(e.project.Scope.Near(d, "pipeline.", name, func() []string { return evaluate.Names(e.project.Pipelines) }))
	}
	return b
}

// lastOutput returns the output that the second argument names, or nil. It must have a declared type, against which the
// outputs of earlier runs are checked.
func (e *Evaluator) lastOutput(b *decode.Block, name string, at hcl.Range) *decode.Block {
	var names []string
	for _, out := range b.All("output") {
		switch {
		case out.Label != name:
			names = append(names, out.Label)
		case out.Attr("type") == nil:
			if !out.Tried("type") {
				e.diags.Add(diag.New("missing", at, "last_success requires an output with a declared type, and output %q of pipeline %q has none", name, b.Label).
					WithRelated(out.LabelRange, "the output is declared here").WithSuggestion("add type = … to the output"))
			}
			return nil
		default:
			return out
		}
	}
	d := diag.New("unknown-reference", at, "pipeline %q has no output %q", b.Label, name).
		WithRelated(b.LabelRange, "the pipeline is declared here")
	if d = d.DidYouMean(name, names); d.Suggestion == "" {
		d = d.WithDetail("%s", evaluate.Listed("Its outputs", names))
	}
	e.diags.Add(d)
	return nil
}

// isLast reports whether lastReference has created a reference: all its parts have the range of the call, which is impossible
// for parts that are written out.
func isLast(t hcl.Traversal) bool {
	return len(t) == 3 && t.RootName() == program.LastSuccessRoot && t[0].SourceRange() == t[1].SourceRange() && t[1].SourceRange() == t[2].SourceRange()
}

// last resolves a reference that lastReference has created.
func (r *resolver) last(t hcl.Traversal, soft bool) (cty.Type, int) {
	pipeline, output := t[1].(hcl.TraverseAttr).Name, t[2].(hcl.TraverseAttr).Name
	for _, out := range r.evaluator.project.Pipelines[pipeline].All("output") {
		if out.Label != output {
			continue
		}
		typ, ok := evaluate.Type(out.Attr("type"), r.evaluator.diags)
		if !ok {
			return cty.NilType, 0
		}
		r.use(model.Use{Ref: evaluate.Text(t), LastSuccess: &model.LastSuccess{Pipeline: pipeline, Output: output, Type: typ}}, t, soft)
		return typ, 3
	}
	return cty.NilType, 0
}
