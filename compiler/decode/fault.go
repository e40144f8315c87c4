package decode

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/language"
)

// fault turns what HCL says of a body that doesn't fit its schema into the table's own words.
func (d *decoder) fault(def *language.Block, h *hcl.Diagnostic) {
	at := hcl.Range{}
	if h.Subject != nil {
		at = *h.Subject
	}
	switch name := d.text(at); {
	case h.Summary == "Unsupported argument":
		d.diags.Add(unknownAttribute(def, name, at))
	case h.Summary == "Unsupported block type":
		d.diags.Add(unknownBlock(def, name, at))
	case strings.HasPrefix(h.Summary, "Missing ") && strings.Contains(h.Detail, "must have"):
		d.diags.Add(missingLabel(def, h, at))
	case strings.HasPrefix(h.Summary, "Extraneous label"):
		d.diags.Add(diag.New("out-of-place", at, "this label is one too many").WithDetail("%s", h.Detail))
	default:
		d.diags.Add(diag.FromHCL(hcl.Diagnostics{h}, d.sources)...)
	}
}

func (d *decoder) text(at hcl.Range) string {
	src := d.sources[at.Filename]
	if at.Start.Byte < 0 || at.End.Byte > len(src) || at.Start.Byte > at.End.Byte {
		return ""
	}
	return string(src[at.Start.Byte:at.End.Byte])
}

func where(def *language.Block) string {
	if def.Name == "" {
		return "at the top of a file"
	}
	return "in a " + def.Name + " block"
}

func unknownAttribute(def *language.Block, name string, at hcl.Range) diag.Diagnostic {
	d := diag.New("unknown-attribute", at, "there is no attribute `%s` %s", name, where(def))
	if n := def.Block(name); n != nil {
		form := name + " { … }"
		if n.Label != "" {
			form = name + ` "` + n.Label + `" { … }`
		}
		return d.WithSuggestion("`%s` is a block: write %s, without =", name, form)
	}
	return elsewhere(d.DidYouMean(name, def.Names()), name, false)
}

func unknownBlock(def *language.Block, name string, at hcl.Range) diag.Diagnostic {
	d := diag.New("unknown-block", at, "there is no block `%s` %s", name, where(def))
	if def.Attribute(name) != nil {
		return d.WithSuggestion("`%s` is an attribute: write %s = …", name, name)
	}
	return elsewhere(d.DidYouMean(name, def.Names()), name, true)
}

// elsewhere says where a name belongs that is known, but not here.
func elsewhere(d diag.Diagnostic, name string, block bool) diag.Diagnostic {
	if d.Suggestion != "" {
		return d
	}
	var places []string
	var walk func(b *language.Block)
	walk = func(b *language.Block) {
		if block && b.Block(name) != nil || !block && b.Attribute(name) != nil {
			if b.Name == "" {
				places = append(places, "the top of a file")
			} else {
				places = append(places, b.Name)
			}
		}
		for _, n := range b.Blocks {
			walk(n)
		}
	}
	walk(language.Root())
	if len(places) > 0 && len(places) <= 4 {
		d.Suggestion = "`" + name + "` belongs in " + strings.Join(places, ", ")
	}
	return d
}

func missingLabel(def *language.Block, h *hcl.Diagnostic, at hcl.Range) diag.Diagnostic {
	name := strings.TrimSpace(h.Summary[strings.LastIndex(h.Summary, " for ")+len(" for "):])
	n := def.Block(name)
	label := "name"
	if n != nil {
		label = n.Label
	}
	d := diag.New("missing", at, "the %s of this %s is missing", label, name)
	if n != nil && n.Labels != nil {
		return d.WithSuggestion("write %s %q { … }: one of %s", name, n.Labels[0], strings.Join(n.Labels, ", "))
	}
	return d.WithSuggestion("write %s \"%s\" { … }", name, label)
}
