package lint

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

var shellInjection = &Rule{
	Code: "shell-injection", Level: Warning,
	Summary: "A value that is known only at run time is inserted into the text of a script.",
	Doc: "The value becomes part of the program: a quote in it breaks the script, and `; rm -rf .` in it is executed. Pass the value with `env` and let " +
		"the script read the variable, in quotes. Numbers, bools, lists of them and the paths of artifacts are harmless, and are not reported, nor are expressions that yield them.",
	Check: func(p *Pass) {
		outputs := map[*model.Pipeline]map[string]cty.Type{}
		for pl, s := range p.Steps {
			i := script(s)
			if i < 0 || s.Command[i].Const != cty.NilVal {
				continue
			}
			if outputs[pl] == nil {
				outputs[pl] = outputTypes(pl)
			}
			told := map[string]bool{}
			types := func(u model.Use) cty.Type { return given(pl, s, u, outputs[pl]) }
			safe := safeParts(s.Command[i], types)
			for _, u := range s.Command[i].Uses {
				if u.Const || told[u.Ref] || safe.contains(u.At) {
					continue
				}
				t := types(u)
				if harmless(t) {
					continue
				}
				told[u.Ref] = true
				text := u.Ref
				if t != cty.String && t != cty.DynamicPseudoType {
					text = "jsonencode(" + text + ")"
				}
				p.Report(p.New(u.At, "the text of %s becomes part of the script", u.Ref).
					WithSuggestion(`write env = { %s = %s }, and "$%[1]s" in the script`, envName(u.Ref), text))
			}
		}
	},
}

// given returns the type of a reference's value; number for what pipec itself writes, such as a path or a status.
func given(pl *model.Pipeline, s *model.Step, u model.Use, outputs map[string]cty.Type) cty.Type {
	root, name, _ := strings.Cut(u.Ref, ".")
	switch {
	case root == "output", root == "run", root == "attempt":
		return cty.Number
	case u.Ref == "each.key" && s.ForEach != nil:
		return s.ForEach.Key
	case u.Ref == "each.value" && s.ForEach != nil:
		return s.ForEach.Elem
	case root == "param" && pl.Params[name] != nil:
		return pl.Params[name].Type
	case root == "input":
		for _, in := range s.Inputs {
			if in.Block.Label == name && in.Type != cty.NilType {
				return in.Type
			}
		}
	case u.Status && (strings.HasSuffix(u.Ref, ".status") || strings.HasSuffix(u.Ref, ".exit_code")):
		return cty.Number
	case u.Status:
		return cty.String
	case root == "step" && outputs[u.Ref] != cty.NilType:
		return outputs[u.Ref]
	}
	return cty.DynamicPseudoType
}

// ranges are parts of an expression.
type ranges []hcl.Range

func (r ranges) contains(at hcl.Range) bool {
	return slices.ContainsFunc(r, func(part hcl.Range) bool { return part.Start.Byte <= at.Start.Byte && at.End.Byte <= part.End.Byte })
}

// safeParts returns the parts of a script whose values are harmless, whatever they are computed from: ${length(param.names)}.
func safeParts(v *model.Value, typeOf func(model.Use) cty.Type) ranges {
	script, ok := v.Node.(*hclsyntax.TemplateExpr)
	if !ok {
		return nil
	}
	var out ranges
	for _, part := range script.Parts {
		if t := infer.Type(part, &useScope{v.Uses, typeOf}, &diag.List{}); t != cty.NilType && harmless(t) {
			out = append(out, part.Range())
		}
	}
	return out
}

// useScope resolves the references that a checked expression has.
type useScope struct {
	uses   []model.Use
	typeOf func(model.Use) cty.Type
}

// Resolve returns the type of a reference.
func (s *useScope) Resolve(t hcl.Traversal, _ bool) (typ cty.Type, taken int) {
	for _, u := range s.uses {
		for n := len(t); n > 0 && u.At.Start == t.SourceRange().Start; n-- {
			if t[:n].SourceRange().End != u.At.End {
				continue
			}
			if u.Const {
				return u.Value.Type(), n
			}
			return s.typeOf(u), n
		}
	}
	return cty.DynamicPseudoType, len(t)
}

// Instances leaves references to Resolve.
func (s *useScope) Instances(hcl.Traversal, bool) (typ cty.Type, taken int, handled bool) {
	return cty.NilType, 0, false
}

// Choices returns nil: strings of a set are as harmful as others.
func (s *useScope) Choices(hcl.Traversal) []string { return nil }

// Function finds a function.
func (s *useScope) Function(call *hclsyntax.FunctionCallExpr) (function.Function, bool) {
	f, ok := expr.Functions()[call.Name]
	return f, ok
}

// harmless reports whether no value of a type can be read as a program: numbers, bools, paths, and lists of them.
func harmless(t cty.Type) bool {
	for t.IsListType() || t.IsSetType() {
		t = t.ElementType()
	}
	return t == cty.Number || t == cty.Bool || types.HasArtifact(t)
}

// outputTypes returns the types of all outputs of a pipeline's steps, by step.NAME.OUTPUT.
func outputTypes(pl *model.Pipeline) map[string]cty.Type {
	out := map[string]cty.Type{}
	for _, s := range pl.Steps {
		for _, o := range s.Outputs {
			out["step."+s.Name()+"."+o.Block.Label] = o.Type
		}
	}
	return out
}

// envName returns the name of an environment variable for a reference: NAME of param.name.
func envName(ref string) string {
	name := ref[strings.LastIndexByte(ref, '.')+1:]
	return strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}
