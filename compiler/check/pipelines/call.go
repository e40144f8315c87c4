package pipelines

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/values"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

// callCheck checks a step that calls a pipeline: its inputs have the types of the params of the pipeline, and its outputs are
// those of the pipeline.
type callCheck struct{ stepCheck }

// declare finds the pipeline that is called, and declares its outputs as those of the step.
func (c callCheck) declare() {
	s := c.step
	for _, b := range s.Block.All("output") {
		c.diags.Add(diag.New("out-of-place", b.DefRange, "a call can't declare outputs: its outputs are those of the pipeline that it calls"))
	}
	q := c.callee()
	if q == nil {
		s.Incomplete = true
		return
	}
	s.Callee, s.Incomplete = q, q.Incomplete
	c.pipeline.AddCall(q)
	for _, r := range q.Results {
		if values.IsStatus(r.Block.Label) {
			c.diags.Add(diag.New("invalid-name", s.Block.Attr("pipeline").Range(), "a call can't have the output %q of pipeline %q", r.Block.Label, q.Block.Label).
				WithDetail("step.%s.%s is reserved for how the step ended.", s.Name(), r.Block.Label).WithRelated(r.Block.LabelRange, "the output is declared here").
				WithSuggestion("rename the output of the pipeline, for example to %q", q.Block.Label+"_"+r.Block.Label))
			continue
		}
		s.AddOutput(&model.Output{Block: r.Block, Type: r.Type, Default: cty.NilVal})
	}
}

// callee returns the pipeline that the step calls, or nil if there is none or if the call is part of a ring of calls.
func (c callCheck) callee() *model.Pipeline {
	e := c.step.Block.Attr("pipeline")
	t, hclDiags := hcl.AbsTraversalForExpr(e)
	if hclDiags.HasErrors() {
		c.notCallable(e)
		return nil
	}
	var names []string
	for _, part := range t[1:] {
		if a, ok := part.(hcl.TraverseAttr); ok {
			names = append(names, a.Name)
		}
	}
	switch {
	case len(names) < len(t)-1:
	case t.RootName() == "pipeline" && len(names) == 1:
		return c.own(names[0], e)
	case t.RootName() == "library" && len(names) == 1:
		return c.imported(names[0], "", e)
	case t.RootName() == "library" && len(names) == 2:
		return c.imported(names[0], names[1], e)
	}
	c.notCallable(e)
	return nil
}

func (c callCheck) notCallable(e hcl.Expression) {
	d := diag.New("type-mismatch", e.Range(), "`pipeline` must be a reference: pipeline = pipeline.NAME, or library.NAME.NAME")
	if names := evaluate.Names(c.project.Pipelines); len(names) > 0 {
		d = d.WithDetail("%s", evaluate.Listed("Declared", names))
	}
	c.diags.Add(d)
}

// own returns a pipeline of the same directory. It has been checked before, unless it calls this one; package graph reports
// that.
func (c callCheck) own(name string, e hcl.Expression) *model.Pipeline {
	if c.project.Pipelines[name] == nil {
		d := diag.New("unknown-reference", e.Range(), "no pipeline is named %q", name)
		c.diags.Add(c.project.Scope.Near(d, "pipeline.", name, func() []string { return evaluate.Names(c.project.Pipelines) }))
		return nil
	}
	return c.pipeline.Project.Pipeline(name)
}

// imported returns a pipeline of a library. name is "" if the reference names the library only.
func (c callCheck) imported(library, name string, e hcl.Expression) *model.Pipeline {
	b := c.project.Use(c.project.Libraries, library)
	if b == nil {
		d := diag.New("unknown-reference", e.Range(), "no library is named %q", library)
		c.diags.Add(c.project.Scope.Near(d, "library.", library, func() []string { return evaluate.Names(c.project.Libraries) }))
		return nil
	}
	lib := c.pipeline.Project.Libraries[library]
	if lib == nil {
		return nil
	}
	known := func() []string { return evaluate.Names(lib.Evaluated.Pipelines) }
	if name == "" {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "expected a pipeline of the library: pipeline = library.%s.NAME", library).
			WithDetail("%s", evaluate.Listed("Its pipelines", known())))
		return nil
	}
	if lib.Evaluated.Pipelines[name] == nil {
		d := diag.New("unknown-reference", e.Range(), "library %q has no pipeline %q", library, name).
			WithRelated(b.DefRange, "the library is declared here")
		c.diags.Add(c.project.Scope.Near(d, "library."+library+".", name, known))
		return nil
	}
	c.step.Library = library
	return lib.Pipeline(name)
}

// check reports params without a value, and attributes and blocks that have no effect on a call.
func (c callCheck) check() {
	q := c.step.Callee
	for _, name := range evaluate.Names(q.Params) {
		p := q.Params[name]
		if c.step.Input(name) == nil && p.Block.Attr("default") == nil && !c.step.Block.Tried("input") && p.Type != cty.NilType {
			c.diags.Add(diag.New("missing", c.step.Block.DefRange, "the call has no value for param %q of pipeline %q, which has no default", name, q.Block.Label).
				WithRelated(p.Block.LabelRange, "the param is declared here").
				WithSuggestion("add input %q { value = … } to the step", name))
		}
	}
	for _, a := range c.step.Block.Sorted() {
		switch a.Name {
		case "description", "pipeline", "image", "code", "when", "depends_on", "for_each", "max_parallel", "max_instances", "continue_on_failure", "timeout":
		default:
			c.needsProcess(a.NameRange, a.Name)
		}
	}
	for _, b := range c.step.Block.Blocks {
		switch b.Def.Name {
		case "input", "output", "repeat", "concurrency", "approval":
		case "retry":
			for _, a := range b.Sorted() {
				switch a.Name {
				case "attempts", "delay", "factor", "max_delay", "within":
				default:
					c.needsProcess(a.NameRange, "retry."+a.Name)
				}
			}
		default:
			c.needsProcess(b.DefRange, b.Def.Name)
		}
	}
}

func (c callCheck) needsProcess(at hcl.Range, name string) {
	c.diags.Add(diag.New("out-of-place", at, "`%s` needs a step with a process, and this step calls a pipeline", name).
		WithDetail("Set it in the steps of the pipeline that is called."))
}

// unknownParam reports an input for which the pipeline has no param.
func (c callCheck) unknownParam(b *decode.Block) {
	q := c.step.Callee
	names := evaluate.Names(q.Params)
	c.diags.Add(diag.New("unknown-reference", b.LabelRange, "pipeline %q has no param %q", q.Block.Label, b.Label).
		WithRelated(q.Block.LabelRange, "the pipeline is declared here").
		WithDetail("%s", evaluate.Listed("Its params", names)).DidYouMean(b.Label, names))
}
