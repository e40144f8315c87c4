package values

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/infer"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/types"
)

// input resolves input.x of the step itself: a value, or a handle with the path of an artifact.
func (r *resolver) input(t hcl.Traversal) (cty.Type, int) {
	name, ok := r.name(t, "input")
	if !ok {
		return cty.NilType, 0
	}
	in := r.step.Input(name)
	if in == nil && r.step.Incomplete {
		return cty.NilType, 0
	}
	if in == nil {
		return r.unknown(t, "input of this step", "input.", name, r.step.InputNames)
	}
	if in.Type == cty.NilType {
		return cty.NilType, 0
	}
	r.use(model.Use{Ref: "input." + name}, t[:2], false)
	if types.HasArtifact(in.Type) {
		if r.round {
			r.fault("out-of-place", t.SourceRange(), "input.%s is an artifact and can't be carried: use output.NAME, the result of the round", name)
			return cty.NilType, 0
		}
		return infer.HandleType, 2
	}
	return in.Type, 2
}

// output resolves output.x of the step itself: a handle with the path to write to, or after a round what was written.
func (r *resolver) output(t hcl.Traversal) (cty.Type, int) {
	name, ok := r.name(t, "output")
	if !ok {
		return cty.NilType, 0
	}
	out := r.step.Output(name)
	if out == nil {
		if r.step.Incomplete {
			return cty.NilType, 0
		}
		return r.unknown(t, "output of this step", "output.", name, r.step.OutputNames)
	}
	r.use(model.Use{Ref: "output." + name}, t[:2], false)
	if r.round {
		return out.Type, 2
	}
	if out.Block.Attr("glob") != nil {
		r.report(diag.New("out-of-place", t.SourceRange(), "output.%s has no path, because it consists of the files that match its glob", name).
			WithRelated(out.Block.Attr("glob").Range(), "the glob is here").
			WithSuggestion("write the directory of the pattern, or remove the glob"))
		return cty.NilType, 0
	}
	if file := out.Block.Attr("file"); file != nil {
		r.report(diag.New("out-of-place", t.SourceRange(), "output.%s has no path, because it is read from a file of the step", name).
			WithRelated(file.Range(), "the file is here").
			WithSuggestion("write the path of the file, or remove `file`"))
		return cty.NilType, 0
	}
	return infer.HandleType, 2
}
