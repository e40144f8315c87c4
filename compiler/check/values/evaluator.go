// Package values determines what the expressions of a pipeline mean: which declarations their references name, which type
// they have, and whether their value is known when compiling or only at run time.
//
// Types come from package infer, constants from package evaluate; this package supplies the names that an expression can
// use at its position in a pipeline. It checks no blocks: package pipelines calls it for each expression.
package values

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
)

// Evaluator checks expressions of one pipeline. The steps of the pipeline and their outputs must be declared before, because
// references may point forward.
type Evaluator struct {
	project  *evaluate.Project
	diags    *diag.List
	pipeline *model.Pipeline
	forEach  map[*model.Step]visit
}

// New returns the evaluator for a pipeline.
func New(pipeline *model.Pipeline) *Evaluator {
	project := pipeline.Project.Evaluated
	return &Evaluator{project: project, diags: project.Diags, pipeline: pipeline, forEach: map[*model.Step]visit{}}
}

// Value checks an expression of a step, or of the pipeline itself if s is nil. It returns nil if the expression is invalid,
// after reporting why.
func (e *Evaluator) Value(s *model.Step, kind language.Kind, x hcl.Expression) *model.Value {
	return e.valueIn(&resolver{evaluator: e, step: s, kind: kind}, x)
}

// Text is Value for an expression that must be a string, or consist of strings: "${x}" is a string in it, whatever x is.
func (e *Evaluator) Text(s *model.Step, kind language.Kind, x hcl.Expression) *model.Value {
	return e.valueIn(&resolver{evaluator: e, step: s, kind: kind, text: true}, x)
}

// ValueFor is Value for an expression that is assigned to something of type want, or Text if that consists of text.
func (e *Evaluator) ValueFor(s *model.Step, kind language.Kind, x hcl.Expression, want cty.Type) *model.Value {
	if consistsOfText(want) {
		return e.Text(s, kind, x)
	}
	return e.Value(s, kind, x)
}

func consistsOfText(t cty.Type) bool {
	for t != cty.NilType && t.IsCollectionType() {
		t = t.ElementType()
	}
	return t == cty.String
}

// Round is Value for an expression that is evaluated after a round of a step with `repeat`: output.x is what the round has
// produced, not where it is to be written.
func (e *Evaluator) Round(s *model.Step, x hcl.Expression) *model.Value {
	return e.valueIn(&resolver{evaluator: e, step: s, kind: language.Own, round: true}, x)
}

func (e *Evaluator) valueIn(names *resolver, x hcl.Expression) *model.Value {
	node, ok := x.(hclsyntax.Expression)
	if !ok {
		e.diags.Add(diag.New("syntax", x.Range(), "this expression is not in HCL's own syntax"))
		return nil
	}
	infers := infer.Type
	if names.text {
		infers = infer.Text
	}
	t := infers(node, names, e.diags)
	if t == cty.NilType {
		return nil
	}
	v := &model.Value{Type: t, Uses: names.uses, Node: node}
	if v.Runtime() {
		if !e.canWait(v) {
			return nil
		}
		return v
	}
	got, ok := e.project.Constants.Value(node)
	if !ok {
		return nil
	}
	if evaluate.IsSensitive(got) {
		e.diags.Add(e.project.Values.SensitiveFault(node))
		return nil
	}
	return model.Constant(got)
}

// canWait reports whether an expression can be evaluated at run time: then it must neither read files of the project nor
// sensitive variables, which are not part of a program. It stores the values of variables and locals in v.
func (e *Evaluator) canWait(v *model.Value) bool {
	good := true
	_ = hclsyntax.VisitAll(v.Node, func(n hclsyntax.Node) hcl.Diagnostics {
		call, ok := n.(*hclsyntax.FunctionCallExpr)
		if ok && evaluate.OnlyCompiling(call.Name) {
			good = false
			e.diags.Add(diag.New("not-constant", call.Range(), "%s is evaluated when compiling, and this expression at run time", call.Name).
				WithSuggestion("assign its value to a local, and use local.NAME here"))
		}
		return nil
	})
	for i := range v.Uses {
		u := &v.Uses[i]
		if !u.Const {
			continue
		}
		u.Value, _ = e.project.Values.Named(u.Ref)
		if evaluate.IsSensitive(u.Value) {
			e.diags.Add(e.project.Values.SensitiveFault(v.Node))
			return false
		}
	}
	return good
}
