package check

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// callee finds the pipeline that a step calls, checked. nil: it is faulty, and that is told.
func (c *checker) callee(p *Pipeline, s *Step) *Pipeline {
	e := s.Block.Attr("pipeline")
	t, hclDiags := hcl.AbsTraversalForExpr(e)
	if hclDiags.HasErrors() {
		c.notCallable(e)
		return nil
	}
	var names []string
	for _, step := range t[1:] {
		if a, ok := step.(hcl.TraverseAttr); ok {
			names = append(names, a.Name)
		}
	}
	switch {
	case len(names) < len(t)-1:
	case t.RootName() == "pipeline" && len(names) == 1:
		return c.own(p, s, names[0], e)
	case t.RootName() == "library" && (len(names) == 1 || len(names) == 2):
		return c.imported(p, s, names, e)
	}
	c.notCallable(e)
	return nil
}

func (c *checker) notCallable(e hcl.Expression) {
	d := diag.New("type-mismatch", e.Range(), "`pipeline` is a reference: pipeline = pipeline.NAME, or library.NAME.NAME")
	if names := evaluate.Names(c.world.Pipelines); len(names) > 0 {
		d = d.WithDetail("%s", evaluate.Listed("Declared", names))
	}
	c.diags.Add(d)
}

// own is a pipeline of the same directory.
func (c *checker) own(p *Pipeline, s *Step, name string, e hcl.Expression) *Pipeline {
	w := c.world
	b := w.Pipelines[name]
	if b == nil {
		d := diag.New("unknown-reference", e.Range(), "no pipeline is named %q", name)
		c.diags.Add(w.Near(d, "pipeline.", name, func() []string { return evaluate.Names(w.Pipelines) }))
		return nil
	}
	if q := c.pipelines[b]; q != nil && q.entered {
		c.recursion(b, s, e)
		return nil
	}
	c.callers = append(c.callers, caller{b: p.Block, at: e.Range()})
	q := c.pipeline(b)
	c.callers = c.callers[:len(c.callers)-1]
	return p.calls(q)
}

// imported is a pipeline of a library, all of which has been checked.
func (c *checker) imported(p *Pipeline, s *Step, names []string, e hcl.Expression) *Pipeline {
	w, library := c.world, names[0]
	b := w.Use(w.Libraries, library)
	if b == nil {
		d := diag.New("unknown-reference", e.Range(), "no library is named %q", library)
		c.diags.Add(w.Near(d, "library.", library, func() []string { return evaluate.Names(w.Libraries) }))
		return nil
	}
	lib := w.Imports[library]
	if lib == nil {
		return nil
	}
	if len(names) == 1 {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "a pipeline of the library is called: pipeline = library.%s.NAME", library).
			WithDetail("%s", evaluate.Listed("Its pipelines", evaluate.Names(lib.Pipelines))))
		return nil
	}
	q := lib.Pipelines[names[1]]
	if q == nil {
		d := diag.New("unknown-reference", e.Range(), "library %q has no pipeline %q", library, names[1]).
			WithRelated(b.DefRange, "the library is declared here")
		c.diags.Add(w.Near(d, "library."+library+".", names[1], func() []string { return evaluate.Names(lib.Pipelines) }))
		return nil
	}
	s.Library = library
	return p.calls(c.libraries[lib].pipelines[q])
}

func (p *Pipeline) calls(q *Pipeline) *Pipeline {
	q.called = true
	for _, other := range p.Calls {
		if other == q {
			return q
		}
	}
	p.Calls = append(p.Calls, q)
	return q
}

// caller is a pipeline in which a call is being checked.
type caller struct {
	b  *decode.Block
	at hcl.Range // of the call
}

// recursion tells pipelines that call each other in a ring, from the one that stands first in the source.
func (c *checker) recursion(to *decode.Block, s *Step, e hcl.Expression) {
	from := 0
	for i := range c.callers {
		if c.callers[i].b == to {
			from = i
		}
	}
	ring := append([]caller{}, c.callers[from:]...)
	at := e.Range()
	ring = append(ring, caller{b: c.current.Block, at: at})
	if ring[0].b != to {
		ring = ring[len(ring)-1:]
	}
	first := 0
	for i := range ring {
		if diag.Before(ring[i].b.LabelRange, ring[first].b.LabelRange) {
			first = i
		}
	}
	var names []string
	d := diag.New("cycle", ring[first].at, "")
	for i := range ring {
		one := ring[(first+i)%len(ring)]
		names = append(names, one.b.Label)
		if i > 0 {
			d = d.WithRelated(one.at, "%s calls %s", one.b.Label, ring[(first+i+1)%len(ring)].b.Label)
		}
	}
	d.Summary = "pipelines call each other in a ring: " + strings.Join(append(names, names[0]), " → ")
	if len(ring) == 1 {
		d.Summary = "pipeline " + names[0] + " calls itself"
	}
	c.diags.Add(d)
}

// calls checks what a step calls, before its inputs: they have the types of its params.
func (c *checker) calls(p *Pipeline, s *Step) {
	if s.Block.Attr("pipeline") == nil {
		return
	}
	s.Callee = c.callee(p, s)
	s.faulty = s.Callee == nil
	for _, b := range s.Block.All("output") {
		c.diags.Add(diag.New("out-of-place", b.DefRange, "the outputs of a call are those of the pipeline called"))
	}
	s.Outputs, s.outputs = nil, map[string]*Output{}
	if s.faulty {
		return
	}
	for _, r := range s.Callee.Results {
		if _, reserved := statusTypes[r.Block.Label]; reserved {
			c.diags.Add(diag.New("invalid-name", s.Block.Attr("pipeline").Range(), "the output %q of pipeline %q can't be read of a call", r.Block.Label, s.Callee.Block.Label).
				WithDetail("step.%s.%s says how the step ended.", s.Name(), r.Block.Label).WithRelated(r.Block.LabelRange, "the output is declared here"))
			continue
		}
		o := &Output{Block: r.Block, Type: r.Type, Default: cty.NilVal}
		s.Outputs, s.outputs[r.Block.Label] = append(s.Outputs, o), o
	}
	s.faulty = s.Callee.faulty
}

// arguments tells params that are given no value, and what would be without effect on a call.
func (c *checker) arguments(s *Step) {
	for _, name := range evaluate.Names(s.Callee.Params) {
		q := s.Callee.Params[name]
		if s.inputs[name] == nil && q.Block.Attr("default") == nil && !s.Block.Tried("input") && q.Type != cty.NilType {
			c.diags.Add(diag.New("missing", s.Block.DefRange, "the call gives no value for param %q of pipeline %q, which has no default", name, s.Callee.Block.Label).
				WithRelated(q.Block.LabelRange, "the param is declared here").
				WithSuggestion("write input %q { value = … } in the step", name))
		}
	}
	for _, a := range s.Block.Sorted() {
		switch a.Name {
		case "description", "pipeline", "image", "code", "when", "depends_on", "for_each", "max_parallel", "max_instances", "continue_on_failure":
		default:
			c.forProcess(a.NameRange, a.Name)
		}
	}
	for _, b := range s.Block.Blocks {
		switch b.Def.Name {
		case "input", "output", "repeat", "concurrency", "approval":
		default:
			c.forProcess(b.DefRange, b.Def.Name)
		}
	}
}

func (c *checker) forProcess(at hcl.Range, name string) {
	c.diags.Add(diag.New("out-of-place", at, "`%s` is for a step with a process of its own, and this one calls a pipeline", name).
		WithDetail("Its steps say it, where it is declared."))
}

// unknownParam tells an input of a call that the pipeline called has no param for.
func (c *checker) unknownParam(s *Step, b *decode.Block) {
	names := evaluate.Names(s.Callee.Params)
	c.diags.Add(diag.New("unknown-reference", b.LabelRange, "pipeline %q has no param %q", s.Callee.Block.Label, b.Label).
		WithRelated(s.Callee.Block.LabelRange, "the pipeline is declared here").
		WithDetail("%s", evaluate.Listed("Its params", names)).DidYouMean(b.Label, names))
}
