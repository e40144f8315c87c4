package pipelines

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/types"
)

// file checks from which of the step's files the value of an output is read.
func (c stepCheck) file(o *model.Output) {
	b := o.Block
	key, keyed := c.project.Attributes.String(b, "key")
	if a := b.Attrs["key"]; a != nil && b.Attr("file") == nil && !b.Tried("file") {
		c.diags.Add(diag.New("out-of-place", a.NameRange, "`key` is a key of the output's `file`, and this output has none").
			WithSuggestion("set file = \"out/metrics.json\", for example"))
		return
	}
	text, ok := c.project.Attributes.String(b, "file")
	if !ok {
		return
	}
	at := b.Attr("file").Range()
	clean := path.Clean(filepath.ToSlash(text))
	switch {
	case b.Attrs["glob"] != nil:
		c.diags.Add(diag.New("duplicate", b.Attrs["file"].NameRange, "an output can't have both a glob and a file").
			WithRelated(b.Attrs["glob"].NameRange, "the glob is here"))
		return
	case text == "" || strings.HasSuffix(text, "/") || clean == "." || strings.ContainsRune(text, 0):
		c.diags.Add(diag.New("invalid-value", at, "%q is not the path of a file", text))
		return
	case keyed && key == "":
		c.diags.Add(diag.New("invalid-value", b.Attr("key").Range(), "a key can't be empty"))
		return
	}
	o.File, o.Key = clean, key
	switch t := o.Type; {
	case t == cty.NilType:
	case types.HasArtifact(t):
		c.diags.Add(diag.New("type-mismatch", attribute.TypeRange(b, b.LabelRange), "`file` reads a value, and output %q is %s", b.Label, types.Phrase(t)).
			WithRelated(at, "the file is here").WithSuggestion("for an artifact, write glob = %q", text))
	case strings.EqualFold(path.Ext(clean), ".csv") && key == "" && t.IsPrimitiveType():
		c.diags.Add(diag.New("type-mismatch", attribute.TypeRange(b, b.LabelRange), "a CSV file has rows, and output %q is %s", b.Label, types.Phrase(t)).
			WithRelated(at, "the file is here").WithSuggestion("set `key` to the name of a column, or declare list(object({ COLUMN = %s }))", types.String(t)))
	}
}
