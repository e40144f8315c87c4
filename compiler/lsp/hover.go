package lsp

import (
	"context"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/lsp/outline"
)

// hover describes what is at a position.
func (s *server) hover(p positionParams) (answer, error) {
	return s.in(p.TextDocument, func(_ context.Context, v *view) (any, error) {
		text, at := v.explained(v.text.offset(p.Position))
		if text == "" {
			return nil, nil
		}
		return hover{markup{"markdown", text}, v.text.span(at.Start, at.End)}, nil
	})
}

func (v *view) explained(offset int) (string, outline.Span) {
	if r, part := v.RefAt(offset); r != nil {
		return v.reference(r, part), r.Parts[part].At
	}
	if c := v.CallAt(offset); c != nil {
		if f, ok := evaluate.Functions(v.dir)[c.Name]; ok {
			return "```\n" + evaluate.Signature(c.Name, f) + "\n```\n\n" + evaluate.FunctionDoc(c.Name, f), c.At
		}
		return "", c.At
	}
	if h := v.HeaderAt(offset); h != nil && h.Def != nil {
		if h.At.Holds(offset) {
			return blockDoc(h.Def), h.At
		}
		if s := v.index.Declares(v.File, offset); s != nil {
			return v.described(s), s.At
		}
		return blockDoc(h.Def), h.At
	}
	if a := v.AttrAt(offset); a != nil && a.At.Holds(offset) {
		switch s := v.index.Declares(v.File, offset); {
		case s != nil:
			return v.described(s), a.At
		case a.Def != nil:
			return attributeDoc(a.Def), a.At
		}
	}
	if f, at := v.functionAt(offset); f != nil {
		return f.described(v), at
	}
	return "", outline.Span{}
}

// reference describes what the part of a reference names.
func (v *view) reference(r *outline.Ref, part int) string {
	if s := v.index.Resolve(r, part); s != nil {
		return v.described(s)
	}
	if name := propertyName(r, part); name != "" {
		p := properties[name]
		if doc := outputDoc(name); doc != "" {
			p = [2]string{"string", doc}
		}
		if p[1] == "" {
			return ""
		}
		text := p[1]
		if p[0] != "" {
			text = "```hcl\n" + r.String(part) + ": " + p[0] + "\n```\n\n" + text
		}
		return text
	}
	if part == 0 {
		return roots[r.Parts[0].Name]
	}
	return ""
}

// roots describe the roots of references.
var roots = map[string]string{
	"var":    "The variables: `var.NAME`. Their values are known when compiling.",
	"local":  "The names in `locals`: `local.NAME`. Their values are known when compiling.",
	"param":  "The params of this pipeline: `param.NAME`. A run is started with them.",
	"step":   "The steps of this pipeline: `step.NAME.OUTPUT` is what a step leaves behind, and makes the edge; `step.NAME.status` is how it ended.",
	"run":    "The run: `run.name`, `run.scheduled_at`, and in `finally` `run.status`.",
	"each":   "The element that this instance of a step with `for_each` is for: `each.key` and `each.value`.",
	"recipe": "What `pipec stack up` has made for this stack: `recipe.bucket`, `recipe.cluster`, `recipe.registry` and more.",
	"input":  "The inputs of this step: `input.NAME` is a value, `input.NAME.path` where an artifact is.",
	"output": "The outputs of this step: `output.NAME.path` is where it is to be written.",
}
