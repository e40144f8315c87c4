package pipelines

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// params checks the `param` blocks.
func params(c context) {
	for _, b := range c.pipeline.Block.All("param") {
		if first, twice := c.pipeline.Params[b.Label]; twice {
			c.duplicate(b, first.Block)
			continue
		}
		q := &model.Param{Block: b, Type: cty.DynamicPseudoType}
		c.pipeline.Params[b.Label] = q
		checkParam(c, q)
	}
}

func checkParam(c context, q *model.Param) {
	b, typed := q.Block, false
	if e := b.Attr("type"); e != nil {
		t, ok := evaluate.Type(e, c.diags)
		if !ok {
			q.Type = cty.NilType
			return
		}
		q.Type, typed = t, true
	}
	q.Doc, _ = c.project.String(b, "description")
	q.Source = importSource(c, b, q.Type)
	v, ok := c.values.Default(b, q.Type, b.LabelRange)
	if !ok {
		return
	}
	q.Default = v
	if !typed && !v.IsNull() {
		q.Type = types.Widen(v)
		if q.Default, ok = c.values.Default(b, q.Type, b.LabelRange); !ok {
			q.Type = cty.NilType
		}
	}
}

// importSource checks where a param of type t is imported from. Whether anything exists there is found when a run starts.
func importSource(c context, b *decode.Block, t cty.Type) string {
	text, ok := c.project.String(b, "source")
	if !ok {
		return ""
	}
	at := b.Attr("source").Range()
	if other := b.Attrs["default"]; other != nil {
		c.diags.Add(diag.New("duplicate", b.Attrs["source"].NameRange, "a param has a default or a source, not both").
			WithRelated(other.NameRange, "the default is here"))
		return ""
	}
	s, err := program.ParseSource(text)
	if err != nil {
		c.diags.Add(diag.New("invalid-value", at, "nothing can be imported from here: %v", err))
		return ""
	}
	source := s.String()
	a, ok := types.AsArtifact(t)
	switch {
	case b.Attr("type") == nil:
		c.diags.Add(diag.New("missing", b.DefRange, "param %q has a source, and no type", b.Label).
			WithRelated(at, "the source is here").WithSuggestion("write type = file, or what of an artifact it is"))
	case !ok:
		d := diag.New("type-mismatch", attribute.TypeRange(b, b.LabelRange), "an artifact is imported from a source, and param %q is %s", b.Label, types.Phrase(t)).
			WithRelated(at, "the source is here")
		if types.HasArtifact(t) {
			d = d.WithDetail("A source is one file, one object or one directory.").WithSuggestion("a directory holds several files: type = directory")
		} else {
			d = d.WithSuggestion("a value is given by --param %s=@FILE, or its default is file(…)", b.Label)
		}
		c.diags.Add(d)
	case s.Folder && a.Kind != "directory" && a.Kind != "model":
		c.diags.Add(diag.New("type-mismatch", at, "this source names a directory, by the slash at its end, and param %q is %s", b.Label, types.Phrase(t)).
			WithSuggestion("write %q, or type = directory", strings.TrimSuffix(source, "/")))
	}
	return source
}
