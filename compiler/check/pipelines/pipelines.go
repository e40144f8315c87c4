// Package pipelines checks the blocks of a pipeline: its params, its outputs, its schedule, and its steps with all that
// they read, run and produce. It fills in the checked model, except for what a step sets for its pod (package pods) and
// the edges between steps (package graph). The meaning of a single expression is determined by package values.
package pipelines

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/check/values"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// defaultParallel is max_parallel of a pipeline that does not set it.
const defaultParallel = 200

// context is what all checks of one pipeline share.
type context struct {
	project  *evaluate.Project
	diags    *diag.List
	pipeline *model.Pipeline
	values   *values.Evaluator
}

// Check checks the pipeline that a block declares. The pipelines that it calls must have been checked before, and be part of
// project or of its libraries.
func Check(project *model.Project, b *decode.Block) *model.Pipeline {
	p := &model.Pipeline{Project: project, Block: b, Params: map[string]*model.Param{}}
	c := context{project: project.Evaluated, diags: project.Evaluated.Diags, pipeline: p, values: values.New(p)}
	c.settings()
	params(c)
	paramRules(c)
	p.Schedules = checkSchedules(c)
	declareSteps(c)
	if b.One("step") == nil && !b.Tried("step") {
		c.diags.Add(diag.New("missing", b.DefRange, "pipeline %q has no step", b.Label))
	}
	for _, s := range p.Steps {
		stepCheck{context: c, step: s}.check()
	}
	c.results()
	return p
}

// Unused reports the params to which no expression of the pipeline refers. It is of use only if the project has no errors,
// which can hide a reference.
func Unused(p *model.Pipeline) {
	for _, name := range evaluate.Names(p.Params) {
		if q := p.Params[name]; !q.Used {
			p.Project.Evaluated.Diags.Add(diag.New("unused", q.Block.LabelRange, "param.%s is not used", name))
		}
	}
}

// settings checks the pipeline's own attributes.
func (c context) settings() {
	p, b := c.pipeline, c.pipeline.Block
	p.OnFailure, p.MaxParallel = "continue", defaultParallel
	if s, ok := c.project.Attributes.String(b, "on_failure"); ok {
		p.OnFailure = s
	}
	if n, ok := c.project.Attributes.Int(b, "max_parallel", 1); ok {
		p.MaxParallel = n
	}
	p.Timeout = attribute.Duration(c.project, b, "timeout", 0)
	c.project.Attributes.String(b, "description")
	p.Cache, _ = c.project.Attributes.Bool(b, "cache")
	p.Code = attribute.Declared(c.project, b, "code", c.project.Codes)
}

// results checks the outputs of the pipeline.
func (c context) results() {
	p := c.pipeline
	blocks := p.Block.All("output")
	names := map[string]*decode.Block{}
	for _, b := range blocks {
		if evaluate.Declare(names, b, c.diags) {
			c.result(b)
		}
	}
	slices.SortFunc(p.Results, func(a, b *model.Result) int { return strings.Compare(a.Block.Label, b.Block.Label) })
	p.Incomplete = len(p.Results) < len(blocks) || p.Block.Tried("output")
}

func (c context) result(b *decode.Block) {
	c.project.Attributes.String(b, "description")
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
	v := c.values.Value(nil, language.Runtime, e)
	if v == nil {
		return
	}
	if want == cty.NilType {
		want = v.Type
	}
	if !c.values.Assign(v, want, e, attribute.TypeRange(b, hcl.Range{})) {
		return
	}
	c.pipeline.Results = append(c.pipeline.Results, &model.Result{Block: b, Type: want, Value: v})
}

// duplicate reports a block whose label another block of the same kind has.
func (c context) duplicate(b, first *decode.Block) {
	c.diags.Add(diag.New("duplicate", b.LabelRange, "%s is declared twice", attribute.Describe(b)).
		WithRelated(first.LabelRange, "the first declaration is here"))
}

// holdsArtifact reports whether a type holds an artifact, or is the handle of one: an object with a path.
func holdsArtifact(t cty.Type) bool {
	return types.HasArtifact(t) || t.IsObjectType() && t.HasAttribute("path") && len(t.AttributeTypes()) == 1
}
