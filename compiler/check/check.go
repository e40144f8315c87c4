package check

import (
	"fmt"
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// defaultParallel is max_parallel of a pipeline that says nothing.
const defaultParallel = 200

type checker struct {
	world   *evaluate.Project
	diags   *diag.List
	current *Pipeline
	// pipelines are those that are or were checked: who calls one needs the types of its params and outputs.
	pipelines map[*decode.Block]*Pipeline
	callers   []caller // the calls that are being checked, outermost first
	libraries map[*evaluate.Project]*checker
}

// Project checks all pipelines of a project, sorted by name, and those of its libraries, and tells what in it is used by
// nothing.
func Project(w *evaluate.Project) []*Pipeline {
	c := &checker{world: w, libraries: map[*evaluate.Project]*checker{}}
	out := c.all()
	c.groups()
	if !w.Diags.HasErrors() { // what is faulty may hide a use
		w.Unused()
	}
	return out
}

// all checks the libraries that a world imports, and then its own pipelines.
func (c *checker) all() []*Pipeline {
	w := c.world
	c.diags, c.pipelines = w.Diags, map[*decode.Block]*Pipeline{}
	for _, name := range evaluate.Names(w.Imports) {
		if lib := w.Imports[name]; c.libraries[lib] == nil {
			l := &checker{world: lib, libraries: c.libraries}
			c.libraries[lib] = l
			l.all()
		}
	}
	w.All()
	c.images()
	c.codes()
	var out []*Pipeline
	for _, name := range evaluate.Names(w.Pipelines) {
		out = append(out, c.pipeline(w.Pipelines[name]))
	}
	return out
}

func (c *checker) pipeline(b *decode.Block) *Pipeline {
	if p := c.pipelines[b]; p != nil {
		return p
	}
	p := &Pipeline{Block: b, Params: map[string]*Param{}, byName: map[string]*Step{}, entered: true, world: c.world}
	c.pipelines[b] = p
	outer := c.current
	c.current = p
	defer func() { c.current, p.entered = outer, false }()
	c.settings(p)
	for _, n := range b.All("param") {
		c.param(p, n)
	}
	c.schedule(p)
	c.declareSteps(p)
	if b.One("step") == nil && !b.Tried("step") {
		c.diags.Add(diag.New("missing", b.DefRange, "pipeline %q has no step", b.Label))
	}
	for _, s := range p.Steps {
		c.step(p, s)
	}
	c.cycles(p)
	c.claims(p)
	names := map[string]*decode.Block{}
	for _, n := range b.All("output") {
		if evaluate.Declare(names, n, c.diags) {
			c.result(p, n)
		}
	}
	p.faulty = len(p.Results) < len(b.All("output")) || b.Tried("output")
	if !c.diags.HasErrors() {
		for _, name := range evaluate.Names(p.Params) {
			if q := p.Params[name]; !q.used {
				c.diags.Add(diag.New("unused", q.Block.LabelRange, "param.%s is used by nothing", name))
			}
		}
	}
	return p
}

// settings checks the pipeline's own attributes.
func (c *checker) settings(p *Pipeline) {
	w, b := c.world, p.Block
	p.Program = program.Program{Version: program.Version, Project: w.Name, Pipeline: b.Label, OnFailure: "continue", MaxParallel: defaultParallel}
	if s, ok := w.String(b, "on_failure"); ok {
		p.Program.OnFailure = s
	}
	if n, ok := w.Int(b, "max_parallel", 1); ok {
		p.Program.MaxParallel = n
	}
	p.Program.Timeout = c.duration(b, "timeout", 0)
	p.Program.Labels = c.podLabels(b)
	w.String(b, "description")
	p.cache, _ = w.Bool(b, "cache")
	p.code = c.ref(b, "code", w.Codes)
	p.image = c.imageRef(b)
}

func (c *checker) duration(b *decode.Block, name string, byDefault program.Duration) program.Duration {
	if d, ok := c.world.Duration(b, name); ok {
		return program.Duration(d)
	}
	return byDefault
}

// ref checks an attribute that names a declaration: code = code.steps.
func (c *checker) ref(b *decode.Block, name string, among map[string]*decode.Block) string {
	e := b.Attr(name)
	if e == nil {
		return ""
	}
	label, ok := reference(e, name)
	if !ok {
		d := diag.New("type-mismatch", e.Range(), "`%s` is a reference: %s = %s.NAME", name, name, name)
		if names := evaluate.Names(among); len(names) > 0 {
			d = d.WithDetail("%s", evaluate.Listed("Declared", names))
		}
		c.diags.Add(d)
		return ""
	}
	if c.world.Use(among, label) == nil {
		d := diag.New("unknown-reference", e.Range(), "no %s is named %q", name, label)
		c.diags.Add(c.world.Near(d, name+".", label, func() []string { return evaluate.Names(among) }))
		return ""
	}
	return label
}

// reference reads root.NAME.
func reference(e hcl.Expression, root string) (string, bool) {
	t, hclDiags := hcl.AbsTraversalForExpr(e)
	if hclDiags.HasErrors() || len(t) != 2 || t.RootName() != root {
		return "", false
	}
	a, ok := t[1].(hcl.TraverseAttr)
	return a.Name, ok
}

// imageRef is "image.NAME" for a declared image, or the reference as it is.
func (c *checker) imageRef(b *decode.Block) string {
	e := b.Attr("image")
	if e == nil {
		return ""
	}
	if t, hclDiags := hcl.AbsTraversalForExpr(e); !hclDiags.HasErrors() && t.RootName() == "image" {
		if name := c.ref(b, "image", c.world.Images); name != "" {
			return "image." + name
		}
		return ""
	}
	s, ok := c.world.String(b, "image")
	if ok && s == "" {
		c.diags.Add(diag.New("invalid-value", e.Range(), "an image can't be empty"))
	}
	return s
}

func (c *checker) param(p *Pipeline, b *decode.Block) {
	q := &Param{Block: b, Type: cty.DynamicPseudoType}
	if first, twice := p.Params[b.Label]; twice {
		c.diags.Add(diag.New("duplicate", b.LabelRange, "param %q is declared twice", b.Label).
			WithRelated(first.Block.LabelRange, "the first declaration is here"))
		return
	}
	p.Params[b.Label] = q
	typed := false
	if e := b.Attr("type"); e != nil {
		t, ok := evaluate.Type(e, c.diags)
		if !ok {
			q.Type = cty.NilType
			return
		}
		q.Type, typed = t, true
	}
	c.world.String(b, "description")
	c.importedFrom(b, q)
	v, ok := c.byDefault(b, q.Type, b.LabelRange)
	if !ok {
		return
	}
	q.Default = v
	if !typed && !v.IsNull() {
		q.Type = types.Widen(v)
		if q.Default, ok = c.byDefault(b, q.Type, b.LabelRange); !ok {
			q.Type = cty.NilType
		}
	}
}

// byDefault is the attribute default, of a type; null is allowed there. false: it is not there, or faulty.
func (c *checker) byDefault(b *decode.Block, want cty.Type, via hcl.Range) (cty.Value, bool) {
	e := b.Attr("default")
	if e == nil || want == cty.NilType {
		return cty.NilVal, false
	}
	v, ok := c.world.Const(e)
	if !ok {
		return cty.NilVal, false
	}
	if evaluate.IsSensitive(v) {
		c.diags.Add(c.world.SensitiveFault(e))
		return cty.NilVal, false
	}
	if v.IsNull() {
		return cty.NullVal(want.WithoutOptionalAttributesDeep()), true
	}
	got := &Value{Const: v, Type: v.Type()}
	if !c.wanted(got, want, e, typePlace(b, via)) {
		return cty.NilVal, false
	}
	return got.Const, true
}

func typePlace(b *decode.Block, otherwise hcl.Range) hcl.Range {
	if e := b.Attr("type"); e != nil {
		return e.Range()
	}
	return otherwise
}

func (c *checker) result(p *Pipeline, b *decode.Block) {
	c.world.String(b, "description")
	want := cty.NilType
	if e := b.Attr("type"); e != nil {
		if t, ok := evaluate.Type(e, c.diags); ok {
			want = t
		}
	}
	e := b.Attr("value")
	if e == nil {
		return
	}
	v := c.value(p, nil, language.Runtime, e)
	if v == nil {
		return
	}
	if want == cty.NilType {
		want = v.Type
	}
	if !c.wanted(v, want, e, typePlace(b, hcl.Range{})) {
		return
	}
	p.Results = append(p.Results, &Result{Block: b, Type: want, Value: v})
	sort.Slice(p.Results, func(i, j int) bool { return p.Results[i].Block.Label < p.Results[j].Block.Label })
}

func describe(b *decode.Block) string { return fmt.Sprintf("%s %q", b.Def.Name, b.Label) }
