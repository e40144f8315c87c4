package decode

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/language"
)

// fault translates HCL's error about a body that doesn't fit its schema into the table's own words. A block whose type is
// misspelled is added as a block of the type that was meant, so that its name is declared and its content is checked.
func (d *decoder) fault(b *Block, body hcl.Body, content *hcl.BodyContent, h *hcl.Diagnostic) {
	at := hcl.Range{}
	if h.Subject != nil {
		at = *h.Subject
	}
	switch name := d.text(at); {
	case h.Summary == "Unsupported argument":
		told, meant := unknownAttribute(d.root, b.Def, name, at)
		d.diags.Add(told)
		b.try(meant)
	case h.Summary == "Unsupported block type":
		told, meant := unknownBlock(d.root, b.Def, name, at)
		d.diags.Add(told)
		if n := b.Def.Block(meant); n == nil || !d.recover(n, body, at, content) {
			b.try(meant)
		}
	case strings.HasPrefix(h.Summary, "Missing ") && strings.Contains(h.Detail, "must have"):
		told, meant := missingLabel(b.Def, h, at)
		d.diags.Add(told)
		b.try(meant)
	case strings.HasPrefix(h.Summary, "Extraneous label"):
		d.diags.Add(extraLabel(b.Def, h, at))
	default:
		d.diags.Add(diag.FromHCL(hcl.Diagnostics{h}, d.sources)...)
	}
}

// recover adds the block whose type is at a position to content, as a block of type def. In YAML several blocks may have
// this position; each is added once.
func (d *decoder) recover(def *language.Block, body hcl.Body, at hcl.Range, content *hcl.BodyContent) bool {
	syntax, ok := body.(*hclsyntax.Body)
	if !ok {
		return false
	}
	for _, n := range syntax.Blocks {
		if n.TypeRange == at && (len(n.Labels) == 1 || def.Bare()) && (len(n.Labels) == 0 || def.Label != "") && len(n.Labels) <= 1 && !d.recovered[n] {
			d.recovered[n] = true
			block := n.AsHCLBlock()
			block.Type = def.Name
			if len(n.Labels) > 0 && n.LabelRanges[0].Start.Line > at.Start.Line {
				block.DefRange = n.LabelRanges[0]
			}
			content.Blocks = append(content.Blocks, block)
			return true
		}
	}
	return false
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
	article := "a"
	if strings.ContainsRune("aeiou", rune(def.Name[0])) {
		article = "an"
	}
	return "in " + article + " " + def.Name + " block"
}

// unknownAttribute reports an attribute that is not in the table, and returns the name that was meant, or "".
func unknownAttribute(root, def *language.Block, name string, at hcl.Range) (d diag.Diagnostic, meant string) {
	d = diag.New("unknown-attribute", at, "there is no attribute `%s` %s", name, where(def))
	if n := def.Block(name); n != nil {
		return d.WithSuggestion("`%s` is a block: write %s, without =", name, written(def, n)), name
	}
	if meant = def.Foreign(name); meant != "" {
		if n := def.Block(meant); n != nil && def.Attribute(meant) == nil {
			return d.WithSuggestion("write %s", written(def, n)), meant
		}
		return d.WithSuggestion("did you mean %q?", meant), meant
	}
	meant = diag.Suggest(name, def.Names())
	return elsewhere(d.DidYouMean(name, def.Names()), root, def, name, false), meant
}

// written returns how a block of def is written that was written as an attribute: as an entry of the attribute that is short for such
// blocks, or with its main attribute.
func written(def, n *language.Block) string {
	for _, a := range def.Attributes {
		if a.Short != nil && a.Short.Block == n.Name {
			return a.Name + " = { " + strings.ToUpper(n.Label) + " = " + a.Short.Attribute + " }, or " + n.Name + ` "` + n.Label + `" { … }`
		}
	}
	form := n.Name
	if !n.Bare() {
		form += ` "` + n.Label + `"`
	}
	if main := n.Main(); main != nil && n.Bare() {
		return form + " { " + main.Name + " = … }"
	}
	return form + " { … }"
}

func unknownBlock(root, def *language.Block, name string, at hcl.Range) (d diag.Diagnostic, meant string) {
	d = diag.New("unknown-block", at, "there is no block `%s` %s", name, where(def))
	if def.Attribute(name) != nil {
		return d.WithSuggestion("`%s` is an attribute: write %s = …", name, name), name
	}
	if meant = def.Foreign(name); meant != "" {
		if def.Block(meant) == nil {
			return d.WithSuggestion("write %s = …", meant), meant
		}
		return d.WithSuggestion("did you mean %q?", meant), meant
	}
	meant = diag.Suggest(name, def.Names())
	return elsewhere(d.DidYouMean(name, def.Names()), root, def, name, true), meant
}

// elsewhere adds where a name belongs that is known, but not allowed here: in blocks of this one, or else anywhere. root is the
// table of the language.
func elsewhere(d diag.Diagnostic, root, def *language.Block, name string, block bool) diag.Diagnostic {
	if d.Suggestion != "" {
		return d
	}
	var places []string
	var walk func(b *language.Block)
	walk = func(b *language.Block) {
		if block && b.Block(name) != nil || !block && b.Attribute(name) != nil {
			place := cmp.Or(b.Name, "the top of a file")
			if place != def.Name && !slices.Contains(places, place) { // step and finally have the same blocks
				places = append(places, place)
			}
		}
		for _, n := range b.Blocks {
			walk(n)
		}
	}
	if walk(def); len(places) == 0 {
		walk(root)
	}
	if len(places) > 0 && len(places) <= 4 {
		d.Suggestion = "`" + name + "` belongs in " + strings.Join(places, ", ")
		return d
	}
	return d.WithDetail("Allowed there: %s.", strings.Join(unique(def.Names()), ", "))
}

// unique removes names that appear again: an attribute and a block may have one name.
func unique(names []string) []string {
	var out []string
	for _, name := range names {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func extraLabel(def *language.Block, h *hcl.Diagnostic, at hcl.Range) diag.Diagnostic {
	name := strings.TrimPrefix(h.Summary, "Extraneous label for ")
	d := diag.New("out-of-place", at, "this block has one label too many")
	if n := def.Block(name); n != nil && n.Label != "" {
		return d.WithDetail("A %s block has one label: its %s.", name, n.Label)
	}
	return d.WithDetail("A %s block has no label.", name)
}

func missingLabel(def *language.Block, h *hcl.Diagnostic, at hcl.Range) (d diag.Diagnostic, name string) {
	name = strings.TrimSpace(h.Summary[strings.LastIndex(h.Summary, " for ")+len(" for "):])
	n := def.Block(name)
	label := "name"
	if n != nil {
		label = n.Label
	}
	d = diag.New("missing", at, "the %s of this %s is missing", label, name)
	if n != nil && n.Labels != nil {
		return d.WithSuggestion("write %s %q { … }: one of %s", name, n.Labels[0], strings.Join(n.Labels, ", ")), name
	}
	return d.WithSuggestion("write %s \"%s\" { … }", name, label), name
}
