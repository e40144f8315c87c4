package lint

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/types"
)

var shellInjection = &Rule{
	Code: "shell-injection", Level: Warning,
	Summary: "A value that is known only at run time is inserted into the text of a script.",
	Doc: "The value becomes part of the program: a quote in it breaks the script, and `; rm -rf .` in it is executed. Pass the value with `env` and let " +
		"the script read the variable, in quotes. Numbers, bools, lists of them and the paths of artifacts are harmless, and are not reported.",
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
			for _, u := range s.Command[i].Uses {
				if u.Const || told[u.Ref] {
					continue
				}
				t := given(pl, s, u, outputs[pl])
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
	case root == "output", root == "run":
		return cty.Number
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
