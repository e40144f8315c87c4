package tests

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/schema/record"
)

// expressions checks and evaluates the expressions of tests, which read names that no other expression of the language
// does.
type expressions struct{ project *evaluate.Project }

// check returns the type of an expression, or cty.NilType if it has a fault, which is reported.
func (x *expressions) check(e hclsyntax.Expression, s scope) cty.Type {
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics { //nolint:errcheck // it returns what the function returns
		s.rewrite(n)
		return nil
	})
	return infer.Type(e, s, x.project.Diags)
}

// value evaluates an expression that was checked. It reports a fault, and returns false.
func (x *expressions) value(e hclsyntax.Expression, roots map[string]cty.Value) (cty.Value, bool) {
	v, ok := x.project.Constants.With(e, roots)
	if ok && evaluate.IsSensitive(v) {
		x.project.Diags.Add(x.project.Values.SensitiveFault(e))
		return cty.NilVal, false
	}
	return v, ok
}

// wholeRoot is the root of what a reference to a step with instances says of the step as a whole: step.fan.status. It can't
// be written in a file.
const wholeRoot = "step as a whole"

// scope has the names that an expression of a test can use, besides var and local.
type scope struct {
	project *evaluate.Project
	roots   map[string]cty.Type
	steps   map[string]*stepTypes // those whose instances can be read; nil: none
}

// rewrite makes HCL read references to instances as the language does: step.fan[*].x reads all instances of a map, and
// step.fan.status is the status of the step as a whole.
func (s scope) rewrite(n hclsyntax.Node) {
	switch n := n.(type) {
	case *hclsyntax.SplatExpr:
		if step := s.instances(n.Source); step != nil && step.keyed {
			at := n.Source.Range()
			n.Source = &hclsyntax.FunctionCallExpr{Name: "values", Args: []hclsyntax.Expression{n.Source}, NameRange: at, OpenParenRange: at, CloseParenRange: at}
		}
	case *hclsyntax.ScopeTraversalExpr:
		t := n.Traversal
		if len(t) < 3 || t.RootName() != "step" {
			return
		}
		name, ok := t[1].(hcl.TraverseAttr)
		attr, isAttr := t[2].(hcl.TraverseAttr)
		if step := s.steps[name.Name]; ok && isAttr && step != nil && step.def.ForEach != nil && facts[attr.Name] != cty.NilType {
			root := t[0].(hcl.TraverseRoot)
			n.Traversal = append(hcl.Traversal{hcl.TraverseRoot{Name: wholeRoot, SrcRange: root.SrcRange}}, t[1:]...)
		}
	}
}

// instances returns the step if e is a reference to a step with instances.
func (s scope) instances(e hclsyntax.Expression) *stepTypes {
	ref, ok := e.(*hclsyntax.ScopeTraversalExpr)
	if !ok || len(ref.Traversal) != 2 || ref.Traversal.RootName() != "step" {
		return nil
	}
	name, ok := ref.Traversal[1].(hcl.TraverseAttr)
	if !ok || s.steps[name.Name] == nil || s.steps[name.Name].def.ForEach == nil {
		return nil
	}
	return s.steps[name.Name]
}

// Resolve implements infer.Scope.
func (s scope) Resolve(t hcl.Traversal, _ bool) (cty.Type, int) {
	if typ, taken, mine := s.project.Scope.Resolve(t); mine {
		return typ, taken
	}
	if typ, ok := s.roots[t.RootName()]; ok {
		return s.member(t, typ)
	}
	var more []string
	for _, root := range evaluate.Names(s.roots) {
		switch {
		case root == wholeRoot:
		case s.roots[root].IsObjectType():
			more = append(more, root+".NAME")
		default:
			more = append(more, root)
		}
	}
	s.project.Diags.Add(s.project.Scope.Misplaced(t, more))
	return cty.NilType, 0
}

// member returns the type of the name behind a root: of x in step.x.
func (s scope) member(t hcl.Traversal, typ cty.Type) (cty.Type, int) {
	if len(t) < 2 || !typ.IsObjectType() {
		return typ, 1
	}
	name, ok := t[1].(hcl.TraverseAttr)
	if !ok {
		return typ, 1
	}
	if typ.HasAttribute(name.Name) {
		return typ.AttributeType(name.Name), 2
	}
	what := t.RootName()
	if what == "run" {
		what = "property of a run"
	}
	at := hcl.RangeBetween(t[0].SourceRange(), name.SrcRange)
	s.project.Diags.Add(s.project.Scope.Near(diag.New("unknown-reference", at, "no %s is named %q", what, name.Name), t.RootName()+".", name.Name,
		func() []string { return evaluate.Names(typ.AttributeTypes()) }))
	return cty.NilType, 0
}

// Instances implements infer.Scope: the instances of a step are a list or a map.
func (s scope) Instances(hcl.Traversal, bool) (cty.Type, int, bool) { return cty.NilType, 0, false }

// Choices implements infer.Scope.
func (s scope) Choices(t hcl.Traversal) []string {
	attr, ok := t[len(t)-1].(hcl.TraverseAttr)
	switch {
	case !ok || attr.Name != "status":
		return nil
	case t.RootName() == "run" && len(t) == 2:
		return []string{"cancelled", "failed", "succeeded", "timed_out"}
	case len(t) == 3 && (t.RootName() == "step" || t.RootName() == wholeRoot):
		return record.Statuses
	}
	return nil
}

// Function implements infer.Scope.
func (s scope) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	return s.project.Scope.Function(call)
}
