package lower

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// written returns data, a constant of type t, with the text that its literals have in the source: 1.0 and not 1, which Python would
// read as an int. x is the expression of the constant, or nil.
func written(w *evaluate.Project, x hcl.Expression, data json.RawMessage, t cty.Type) json.RawMessage {
	if x == nil || data == nil || t == cty.NilType || types.HasArtifact(t) {
		return data
	}
	source, ok := w.LiteralJSON(x)
	if !ok {
		return data
	}
	source, err := types.Canonical(source, t)
	if err != nil {
		return data
	}
	a, errA := types.FromJSON(source, t)
	b, errB := types.FromJSON(data, t)
	if errA != nil || errB != nil || !types.Computed(a).RawEquals(types.Computed(b)) {
		return data
	}
	return source
}

// writtenStep gives the constants of a step the text that they have in the source.
func writtenStep(w *evaluate.Project, s *model.Step, out *program.Step) {
	for _, in := range s.Inputs {
		for i := range out.Inputs {
			if o := &out.Inputs[i]; o.Name == in.Block.Label {
				o.Default = written(w, in.Block.Attr("default"), o.Default, in.Type)
				o.Value.Const = written(w, in.Block.Attr("value"), o.Value.Const, in.Type)
			}
		}
	}
	for _, from := range s.Outputs {
		for i := range out.Outputs {
			if o := &out.Outputs[i]; s.Callee == nil && o.Name == from.Block.Label {
				o.Default = written(w, from.Block.Attr("default"), o.Default, from.Type)
			}
		}
	}
	if f := s.ForEach; f != nil {
		out.ForEach.Value.Const = written(w, s.Block.Attr("for_each"), out.ForEach.Value.Const, f.Type)
	}
}
