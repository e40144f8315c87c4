package pipelines

import (
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

// concurrency checks the block `concurrency`. It returns nil if there is none, or if the name of the group is unknown.
func (c stepCheck) concurrency() *model.Concurrency {
	b := c.step.Block.One("concurrency")
	if b == nil {
		return nil
	}
	out := &model.Concurrency{Limit: 1}
	name, named := c.project.Attributes.String(b, "group")
	if named && (name == "" || len(validation.IsValidLabelValue(name)) > 0) {
		named = false
		c.diags.Add(diag.New("invalid-name", b.Attr("group").Range(), "%q is not a valid name of a group", name).
			WithDetail("A name consists of at most %d letters, digits, `-`, `_` and `.`, and starts and ends with a letter or a digit.", validation.LabelValueMaxLength))
	}
	limit, known := c.project.Attributes.Int(b, "limit", 1)
	switch {
	case known && limit > program.MaxGroup:
		known = false
		c.diags.Add(diag.New("invalid-value", b.Attr("limit").Range(), "`limit` can be at most %d, found %d", program.MaxGroup, limit))
	case known:
		out.Limit = limit
	case b.Attr("limit") == nil:
		known = true
	}
	if what, ok := c.project.Attributes.String(b, "on_busy"); ok {
		out.Skip = what == "skip"
	}
	if !named {
		return nil
	}
	out.Group, out.LimitKnown = name, known
	return out
}
