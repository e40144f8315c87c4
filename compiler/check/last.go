package check

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// lastSuccess writes last_success(pipeline.p, "output") as the reference that it is in a program, where it is all of an
// expression, or an argument of the coalesce or try that is. false: it is faulty, and that is told.
func (c *checker) lastSuccess(e hcl.Expression) (hcl.Expression, bool) {
	bare := e
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
				return c.lastReference(node)
			case "coalesce", "try":
				return c.lastArguments(e, node)
			}
		}
		return e, true
	}
}

// lastArguments is e, which is nothing but a call, with what is written anew of its arguments.
func (c *checker) lastArguments(e hcl.Expression, call *hclsyntax.FunctionCallExpr) (hcl.Expression, bool) {
	out, good, changed := *call, true, false
	out.Args = make([]hclsyntax.Expression, len(call.Args))
	for i, arg := range call.Args {
		out.Args[i] = arg
		written, ok := c.lastSuccess(arg)
		if node, isNode := written.(hclsyntax.Expression); isNode && node != arg {
			out.Args[i], changed = node, true
		}
		good = good && ok
	}
	if !changed {
		return e, good
	}
	return &out, good
}

func (c *checker) lastReference(call *hclsyntax.FunctionCallExpr) (hcl.Expression, bool) {
	at := call.Range()
	if len(call.Args) != 2 || call.ExpandFinal {
		c.diags.Add(diag.New("function-call", at, "last_success has two arguments, a pipeline and the name of its output: last_success(pipeline.NAME, \"OUTPUT\")"))
		return nil, false
	}
	if c.world.Root != "" {
		c.diags.Add(diag.New("out-of-place", at, "last_success can't be used in a library: its pipelines are called, and leave no runs of their own").
			WithSuggestion("give the value by a param"))
		return nil, false
	}
	b := c.lastPipeline(call.Args[0])
	name, ok := c.world.Const(call.Args[1])
	if b == nil || !ok {
		return nil, false
	}
	if name.IsNull() || name.Type() != cty.String || evaluate.IsSensitive(name) {
		c.diags.Add(diag.New("type-mismatch", call.Args[1].Range(), "the name of an output is wanted here, as text"))
		return nil, false
	}
	out := c.lastOutput(b, name.AsString(), call.Args[1].Range())
	if out == nil {
		return nil, false
	}
	return &hclsyntax.ScopeTraversalExpr{SrcRange: at, Traversal: hcl.Traversal{
		hcl.TraverseRoot{Name: program.LastRoot, SrcRange: at},
		hcl.TraverseAttr{Name: b.Label, SrcRange: at},
		hcl.TraverseAttr{Name: out.Label, SrcRange: at},
	}}, true
}

func (c *checker) lastPipeline(e hcl.Expression) *decode.Block {
	name, ok := reference(e, "pipeline")
	if !ok {
		d := diag.New("type-mismatch", e.Range(), "a pipeline of the project is wanted here: pipeline.NAME")
		c.diags.Add(d.WithDetail("%s", evaluate.Listed("Declared", evaluate.Names(c.world.Pipelines))))
		return nil
	}
	b := c.world.Pipelines[name]
	if b == nil {
		d := diag.New("unknown-reference", e.Range(), "no pipeline is named %q", name)
		c.diags.Add(c.world.Near(d, "pipeline.", name, func() []string { return evaluate.Names(c.world.Pipelines) }))
	}
	return b
}

// lastOutput finds an output that has a type: what earlier runs have left is checked against it.
func (c *checker) lastOutput(b *decode.Block, name string, at hcl.Range) *decode.Block {
	var names []string
	for _, out := range b.All("output") {
		switch {
		case out.Label != name:
			names = append(names, out.Label)
		case out.Attr("type") == nil:
			if !out.Tried("type") {
				c.diags.Add(diag.New("missing", at, "last_success reads outputs of a declared type, and output %q of pipeline %q has none", name, b.Label).
					WithRelated(out.LabelRange, "the output is declared here").WithSuggestion("write type = … in the output"))
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
	c.diags.Add(d)
	return nil
}

// isLast says whether lastReference has made a reference: all its parts stand where the call does, as no written ones can.
func isLast(t hcl.Traversal) bool {
	return len(t) == 3 && t.RootName() == program.LastRoot && t[0].SourceRange() == t[1].SourceRange() && t[1].SourceRange() == t[2].SourceRange()
}

func (s *scope) last(t hcl.Traversal, soft bool) (cty.Type, int) {
	pipeline, output := t[1].(hcl.TraverseAttr).Name, t[2].(hcl.TraverseAttr).Name
	for _, out := range s.c.world.Pipelines[pipeline].All("output") {
		if out.Label != output {
			continue
		}
		typ, ok := evaluate.Type(out.Attr("type"), s.c.diags)
		if !ok {
			return cty.NilType, 0
		}
		s.use(Use{Ref: evaluate.Text(t), Last: &Last{pipeline, output, typ}}, t, soft)
		return typ, 3
	}
	return cty.NilType, 0
}
