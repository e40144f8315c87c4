package check

import (
	"errors"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/glob"
	"pipec.dev/pipec/schema/types"
)

// glob checks which of a step's files are an output of type t.
func (c *checker) glob(b *decode.Block, t cty.Type) string {
	text, ok := c.world.String(b, "glob")
	if !ok {
		return ""
	}
	p, err := glob.Parse(text)
	var f *glob.Fault
	if errors.As(err, &f) {
		d := diag.New("invalid-value", b.Attr("glob").Range(), "this is no pattern of files: %s", f.Why)
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
		d := diag.New("type-mismatch", typePlace(b, b.LabelRange), "`glob` takes files, and output %q is %s", b.Label, types.Phrase(t)).
			WithRelated(b.Attr("glob").Range(), "the pattern is here").
			WithSuggestion("declare an artifact, or list(…) or map(…) of one: list(json), map(image)")
		c.diags.Add(d)
	}
	return p.Text
}
