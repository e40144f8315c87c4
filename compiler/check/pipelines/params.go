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
		t, defaults, ok := c.project.TypeWith(e)
		if !ok {
			q.Type = cty.NilType
			return
		}
		q.Type, q.Inside, typed = t, defaults, true
	}
	q.Doc, _ = c.project.Attributes.String(b, "description")
	q.Source = importSource(c, b, q.Type)
	v, ok := c.values.DefaultWith(b, q.Type, q.Inside, b.LabelRange)
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
	text, ok := c.project.Attributes.String(b, "source")
	if !ok {
		return ""
	}
	at := b.Attr("source").Range()
	if other := b.Attrs["default"]; other != nil {
		c.diags.Add(diag.New("duplicate", b.Attrs["source"].NameRange, "a param can't have both a default and a source").
			WithRelated(other.NameRange, "the default is here"))
		return ""
	}
	s, err := program.ParseSource(text)
	if err != nil {
		c.diags.Add(diag.New("invalid-value", at, "this is not a valid source: %v", err))
		return ""
	}
	if s.Path != "" {
		if s.Path, err = evaluate.Lookup(c.project.Dir, s.Path); err != nil {
			c.diags.Add(diag.New("file-access", at, "%v", err))
			return ""
		}
	}
	source := s.String()
	a, ok := types.AsArtifact(t)
	switch {
	case b.Attr("type") == nil:
		c.diags.Add(diag.New("missing", b.DefRange, "param %q has a source but no type", b.Label).
			WithRelated(at, "the source is here").WithSuggestion("set type = file, or another artifact type"))
	case !ok:
		d := diag.New("type-mismatch", attribute.TypeRange(b, b.LabelRange), "a param with a source must be an artifact, and param %q is %s", b.Label, types.Phrase(t)).
			WithRelated(at, "the source is here")
		if types.HasArtifact(t) {
			d = d.WithDetail("A source is one file, one object or one directory.").WithSuggestion("for several files, set type = directory")
		} else {
			d = d.WithSuggestion("for a value, use --param %s=@FILE or default = file(…)", b.Label)
		}
		c.diags.Add(d)
	case s.Folder && a.Kind != "directory" && a.Kind != "model":
		c.diags.Add(diag.New("type-mismatch", at, "a source that ends with a slash is a directory, and param %q is %s", b.Label, types.Phrase(t)).
			WithSuggestion("write %q, or set type = directory", strings.TrimSuffix(source, "/")))
	}
	return source
}
