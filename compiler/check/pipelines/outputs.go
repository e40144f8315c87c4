package pipelines

import (
	"errors"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/check/values"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/glob"
	"pipec.dev/pipec/schema/types"
)

// outputs declares the outputs of a step with a process.
func (c stepCheck) outputs() {
	if c.step.Block.Attr("command") == nil {
		c.python()
	}
	f := c.annotated()
	blocks := c.step.Block.All("output")
	if len(blocks) == 0 && !c.step.Block.Tried("output") {
		blocks = f.outputs()
	}
	declared := f.outputTypes(blocks)
	for i, b := range blocks {
		c.output(b, declared[i])
	}
}

// output declares an output. annotated is the type that the function's annotation declares; cty.NilType if it declares none.
func (c stepCheck) output(b *decode.Block, annotated cty.Type) {
	if first := c.step.Output(b.Label); first != nil {
		c.duplicate(b, first.Block)
		return
	}
	o := &model.Output{Block: b}
	c.step.AddOutput(o)
	if values.IsStatus(b.Label) {
		c.diags.Add(diag.New("invalid-name", b.LabelRange, "%q is not a valid name of an output", b.Label).
			WithDetail("step.%s.%s is reserved for how the step ended.", c.step.Name(), b.Label).
			WithSuggestion("choose another name, such as %q", c.step.Name()+"_"+b.Label))
	}
	o.Type = annotated
	if e := b.Attr("type"); e != nil {
		o.Type = cty.NilType
		if t, ok := evaluate.Type(e, c.diags); ok {
			o.Type = t
		}
	} else if annotated == cty.NilType && !b.Tried("type") {
		c.noType(b)
	}
	c.project.Attributes.String(b, "description")
	if v, ok := c.values.Default(b, o.Type, b.LabelRange); ok {
		o.Default = v
	}
	o.Optional, _ = c.project.Attributes.Bool(b, "optional")
	o.Glob = c.glob(b, o.Type)
	c.file(o)
}

// glob checks which of the step's files an output of type t consists of.
func (c stepCheck) glob(b *decode.Block, t cty.Type) string {
	text, ok := c.project.Attributes.String(b, "glob")
	if !ok {
		return ""
	}
	p, err := glob.Parse(text)
	var f *glob.Fault
	if errors.As(err, &f) {
		d := diag.New("invalid-value", b.Attr("glob").Range(), "this is not a valid file pattern: %s", f.Why)
		if f.Hint != "" {
			d = d.WithSuggestion("%s", f.Hint)
		}
		c.diags.Add(d)
		return ""
	}
	if t == cty.NilType {
		return p.Text
	}
	elem := t
	if t.IsListType() || t.IsMapType() {
		elem = t.ElementType()
	}
	if !types.IsArtifact(elem) {
		c.diags.Add(diag.New("type-mismatch", attribute.TypeRange(b, b.LabelRange), "`glob` needs an artifact, and output %q is %s", b.Label, types.Phrase(t)).
			WithRelated(b.Attr("glob").Range(), "the pattern is here").
			WithSuggestion("declare an artifact, or a list or map of artifacts, for example list(json) or map(image)"))
	}
	return p.Text
}
