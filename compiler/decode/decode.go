// Package decode applies the table of schema/language to syntax trees. The result is one tree of the blocks and attributes
// that are in the language, each with its range. The package reports unknown, missing and duplicate ones. It does not look
// into expressions.
package decode

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/load"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/language"
)

// Block is one block of the source.
type Block struct {
	Def        *language.Block
	Label      string
	LabelRange hcl.Range // of the label; DefRange if the block has none
	DefRange   hcl.Range // of the type and the label
	Attrs      map[string]*hcl.Attribute
	Blocks     []*Block // in the order of the source, followed by those whose type is misspelled

	tried map[string]bool
}

// Tried reports whether b contains one of these attributes or blocks in a form that can't be used and that has been
// reported: misspelled, not supported yet, or an attribute written as a block or the reverse. It need not be reported as
// missing then.
func (b *Block) Tried(names ...string) bool {
	for _, name := range names {
		if b.tried[name] {
			return true
		}
	}
	return false
}

func (b *Block) try(name string) {
	if b.tried == nil {
		b.tried = map[string]bool{}
	}
	b.tried[name] = true
}

// Attr returns the attribute's expression, or nil.
func (b *Block) Attr(name string) hcl.Expression {
	if a, ok := b.Attrs[name]; ok {
		return a.Expr
	}
	return nil
}

// All returns the nested blocks of a type, in order.
func (b *Block) All(name string) []*Block {
	var out []*Block
	for _, n := range b.Blocks {
		if n.Def.Name == name {
			out = append(out, n)
		}
	}
	return out
}

// One returns the first nested block of a type, or nil.
func (b *Block) One(name string) *Block {
	for _, n := range b.Blocks {
		if n.Def.Name == name {
			return n
		}
	}
	return nil
}

// Copy returns a copy of blocks from which attributes can be removed without a change of the original.
func Copy(blocks []*Block) []*Block {
	out := make([]*Block, len(blocks))
	for i, b := range blocks {
		c := *b
		c.Attrs, c.Blocks = maps.Clone(b.Attrs), Copy(b.Blocks)
		out[i] = &c
	}
	return out
}

// Sorted returns the attributes by position.
func (b *Block) Sorted() []*hcl.Attribute {
	out := make([]*hcl.Attribute, 0, len(b.Attrs))
	for _, a := range b.Attrs {
		out = append(out, a)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].NameRange.Start.Byte < out[j].NameRange.Start.Byte })
	return out
}

// Project decodes all files into the top-level blocks of the table that the project was read with, by file and position.
func Project(p *load.Project, diags *diag.List) []*Block {
	d := decoder{root: p.Root, diags: diags, sources: p.Sources, schemas: map[*language.Block]*schema{}, recovered: map[*hclsyntax.Block]bool{}}
	var out []*Block
	var first map[string]*Block
	for _, f := range p.Files {
		if f.YAML != nil {
			diags.Add(f.YAML.Told...)
			d.tried = f.YAML.Tried
		}
		b := &Block{Def: d.root, DefRange: hcl.Range{Filename: f.Name, Start: hcl.InitialPos, End: hcl.InitialPos}}
		d.body(b, f.Body)
		out = append(out, b.Blocks...)
	}
	first = map[string]*Block{}
	for _, b := range out {
		d.single(b, first)
		if b.Def.Name == "pipeline" {
			defaults(b)
		}
	}
	return out
}

type schema struct {
	hcl    *hcl.BodySchema
	blocks map[string]*language.Block
	short  []*language.Attribute // that are short for blocks
}

type decoder struct {
	root    *language.Block
	diags   *diag.List
	sources map[string][]byte
	schemas map[*language.Block]*schema

	tried     map[*hclsyntax.Body][]string // for a body in YAML, the names in it that have a form that can't be used
	recovered map[*hclsyntax.Block]bool
}

// schema returns the HCL schema of a block type, and makes each once. No attribute is required for HCL, because the table's
// own check reports more.
func (d *decoder) schema(def *language.Block) *schema {
	if s, ok := d.schemas[def]; ok {
		return s
	}
	s := &schema{hcl: Schema(def), blocks: map[string]*language.Block{}}
	for _, n := range def.Blocks {
		s.blocks[n.Name] = n
	}
	for _, a := range def.Attributes {
		if a.Short != nil {
			s.short = append(s.short, a)
		}
	}
	d.schemas[def] = s
	return s
}

// Schema returns the HCL schema of a block type of the table.
func Schema(def *language.Block) *hcl.BodySchema {
	s := &hcl.BodySchema{}
	for _, a := range def.Attributes {
		s.Attributes = append(s.Attributes, hcl.AttributeSchema{Name: a.Name})
	}
	for _, n := range def.Blocks {
		header := hcl.BlockHeaderSchema{Type: n.Name}
		if n.Label != "" {
			header.LabelNames = []string{n.Label}
		}
		s.Blocks = append(s.Blocks, header)
	}
	return s
}

// labelled returns a body in which the blocks that need no label have an empty one: HCL's schema knows no optional labels.
func labelled(def *language.Block, body hcl.Body) hcl.Body {
	syntax, ok := body.(*hclsyntax.Body)
	if !ok || !slices.ContainsFunc(def.Blocks, func(n *language.Block) bool { return n.Optional }) {
		return body
	}
	out := *syntax
	out.Blocks = slices.Clone(syntax.Blocks)
	for i, n := range out.Blocks {
		if t := def.Block(n.Type); t != nil && t.Optional && len(n.Labels) == 0 {
			bare := *n
			bare.Labels, bare.LabelRanges = []string{""}, []hcl.Range{n.DefRange()}
			out.Blocks[i] = &bare
		}
	}
	return &out
}

func (d *decoder) body(b *Block, body hcl.Body) {
	if b.Def.Free {
		attrs, hclDiags := body.JustAttributes()
		b.Attrs = attrs
		d.diags.Add(diag.FromHCL(hclDiags, d.sources)...)
		for name, a := range attrs {
			if !hclsyntax.ValidIdentifier(name) { // YAML allows such names
				d.diags.Add(diag.New("invalid-name", a.NameRange, "%q is not a valid name", name).WithDetail(NameRule))
			}
		}
		return
	}
	if syntax, ok := body.(*hclsyntax.Body); ok {
		for _, name := range d.tried[syntax] {
			b.try(name)
		}
	}
	s := d.schema(b.Def)
	body = labelled(b.Def, body)
	content, hclDiags := body.Content(s.hcl)
	for _, h := range hclDiags {
		d.fault(b, body, content, h)
	}
	b.Attrs = content.Attributes
	d.attributes(b)
	defer d.short(b, s.short)
	var first map[string]*Block
	if len(content.Blocks) > 1 && b.Def.Name != "" {
		first = map[string]*Block{}
	}
	for _, n := range content.Blocks {
		child := d.block(s.blocks[n.Type], n)
		if child != nil && !child.Def.For(b.Label) {
			d.diags.Add(diag.New("out-of-place", n.TypeRange, "a `%s` block belongs to %s %s, not to %q", n.Type, b.Def.Name, quoted(child.Def.Only), b.Label))
			child = nil
		}
		if child == nil {
			b.try(n.Type)
			continue
		}
		b.Blocks = append(b.Blocks, child)
		if first != nil {
			d.single(child, first)
		}
	}
}

func (d *decoder) block(def *language.Block, n *hcl.Block) *Block {
	b := &Block{Def: def, DefRange: n.DefRange, LabelRange: n.DefRange}
	if len(n.Labels) > 0 {
		b.Label, b.LabelRange = n.Labels[0], n.LabelRanges[0]
	}
	if !language.Supported(def.Since) {
		d.diags.Add(notSupported("`"+def.Name+"` blocks", def.Since, n.TypeRange))
		return nil
	}
	d.label(b)
	d.body(b, n.Body)
	return b
}

func notSupported(what, since string, at hcl.Range) diag.Diagnostic {
	verb := "is"
	if strings.HasSuffix(what, "s") {
		verb = "are"
	}
	return diag.New("not-supported", at, "%s %s not supported yet", what, verb).
		WithDetail("%s %s part of the language from %s on; this pipec compiles %s.", what, verb, since, language.Version)
}

// NameRule is the rule of ValidName in words.
const NameRule = "A name starts with a letter or _, contains only letters, digits, _ and -, and has at most 63 characters."

// ValidName reports whether a label follows the rule for names.
func ValidName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c != '-' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

func (d *decoder) label(b *Block) {
	switch {
	case b.Def.Label == "":
	case b.Def.Labels != nil:
		if slices.Contains(b.Def.Labels, b.Label) {
			return
		}
		d.diags.Add(diag.New("invalid-value", b.LabelRange, "there is no %s of kind %q", b.Def.Name, b.Label).
			WithDetail("The kinds are %s.", strings.Join(b.Def.Labels, ", ")).DidYouMean(b.Label, b.Def.Labels))
	case b.Def.AnyLabel && strings.TrimSpace(b.Label) != "", b.Def.Optional && b.Label == "":
	case !ValidName(b.Label):
		d.diags.Add(diag.New("invalid-name", b.LabelRange, "%q is not a valid name for a block `%s`", b.Label, b.Def.Name).
			WithDetail(NameRule))
	}
}

// single reports a second block of a type that may appear once in its parent.
func (d *decoder) single(b *Block, first map[string]*Block) {
	if !b.Def.Single {
		return
	}
	if f, ok := first[b.Def.Name]; ok {
		d.diags.Add(diag.New("duplicate", b.DefRange, "a second %s block", b.Def.Name).
			WithDetail("Only one is allowed here.").WithRelated(f.DefRange, "the first one is here"))
		return
	}
	first[b.Def.Name] = b
}

// attributes reports which of a block's attributes are missing, misplaced or not supported yet.
func (d *decoder) attributes(b *Block) {
	for _, a := range b.Def.Attributes {
		got, ok := b.Attrs[a.Name]
		switch {
		case !ok:
			if a.Required && a.For(b.Label) && !b.tried[a.Name] {
				d.diags.Add(diag.New("missing", b.DefRange, "%s requires `%s`", b.describe(), a.Name).WithDetail("%s", a.Doc))
			}
		case !language.Supported(a.Since):
			d.diags.Add(notSupported("`"+a.Name+"`", a.Since, got.NameRange))
			delete(b.Attrs, a.Name)
			b.try(a.Name)
		case !a.For(b.Label):
			d.diags.Add(diag.New("out-of-place", got.NameRange, "`%s` belongs to %s %s, not to %q", a.Name, b.Def.Name, quoted(a.Only), b.Label))
			delete(b.Attrs, a.Name)
		case a.Omittable() && isNull(got.Expr):
			delete(b.Attrs, a.Name)
		}
	}
}

// isNull reports whether an expression is the literal null.
func isNull(e hcl.Expression) bool {
	node, ok := e.(hclsyntax.Expression)
	if !ok {
		return false
	}
	lit, ok := expr.Bare(node).(*hclsyntax.LiteralValueExpr)
	return ok && lit.Val.IsNull()
}

// quoted lists labels: "a" or "b".
func quoted(labels []string) string {
	out := make([]string, len(labels))
	for i, l := range labels {
		out[i] = strconv.Quote(l)
	}
	return strings.Join(out, " or ")
}

func (b *Block) describe() string {
	if b.Label == "" {
		return b.Def.Name
	}
	return b.Def.Name + " " + `"` + b.Label + `"`
}
