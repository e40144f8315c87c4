package check

import (
	"strings"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// importedFrom checks where a param is imported from. Whether anything is there is found when a run starts.
func (c *checker) importedFrom(b *decode.Block, q *Param) {
	text, ok := c.world.String(b, "source")
	if !ok {
		return
	}
	at := b.Attr("source").Range()
	if other := b.Attrs["default"]; other != nil {
		c.diags.Add(diag.New("duplicate", b.Attrs["source"].NameRange, "a param has a default or a source, not both").
			WithRelated(other.NameRange, "the default is here"))
		return
	}
	s, err := program.ParseSource(text)
	if err != nil {
		c.diags.Add(diag.New("invalid-value", at, "nothing can be imported from here: %v", err))
		return
	}
	q.Source = s.String()
	a, ok := types.AsArtifact(q.Type)
	switch {
	case b.Attr("type") == nil:
		c.diags.Add(diag.New("missing", b.DefRange, "param %q has a source, and no type", b.Label).
			WithRelated(at, "the source is here").WithSuggestion("write type = file, or what of an artifact it is"))
	case !ok:
		d := diag.New("type-mismatch", typePlace(b, b.LabelRange), "an artifact is imported from a source, and param %q is %s", b.Label, types.Phrase(q.Type)).
			WithRelated(at, "the source is here")
		if types.HasArtifact(q.Type) {
			d = d.WithDetail("A source is one file, one object or one directory.").WithSuggestion("a directory holds several files: type = directory")
		} else {
			d = d.WithSuggestion("a value is given by --param %s=@FILE, or its default is file(…)", b.Label)
		}
		c.diags.Add(d)
	case s.Folder && a.Kind != "directory" && a.Kind != "model":
		c.diags.Add(diag.New("type-mismatch", at, "this source names a directory, by the slash at its end, and param %q is %s", b.Label, types.Phrase(q.Type)).
			WithSuggestion("write %q, or type = directory", strings.TrimSuffix(q.Source, "/")))
	}
}
