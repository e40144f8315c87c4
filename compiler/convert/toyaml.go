package convert

import (
	"bytes"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/language"
)

// toYAML writes the body of a file in HCL as YAML. root is the table of the language.
func toYAML(root *language.Block, body *hclsyntax.Body, src []byte) []byte {
	w := &yamlWriter{src: src, comments: hclComments(src), types: declaredTypes(body, src)}
	lines := w.body(root, body, 0, len(src), 0)
	return []byte(strings.Join(lines, "\n") + "\n")
}

type yamlWriter struct {
	src      []byte
	comments *comments
	types    map[string]bool // the references that can't be of type any
}

// item is an attribute or a block of a body.
type item struct {
	attr       *hclsyntax.Attribute
	block      *hclsyntax.Block
	start, end int
	from       int // the end of what precedes it
}

func items(body *hclsyntax.Body, from int) []item {
	var out []item
	for _, a := range body.Attributes {
		r := a.Expr.Range()
		out = append(out, item{attr: a, start: a.NameRange.Start.Byte, end: max(a.SrcRange.End.Byte, r.End.Byte)})
	}
	for _, b := range body.Blocks {
		out = append(out, item{block: b, start: b.TypeRange.Start.Byte, end: b.CloseBraceRange.End.Byte})
	}
	sort.Slice(out, func(i, j int) bool { return out[i].start < out[j].start })
	for i := range out {
		out[i].from = from
		from = out[i].end
	}
	return out
}

// body returns the lines of a body between two positions.
func (w *yamlWriter) body(def *language.Block, body *hclsyntax.Body, from, to, depth int) []string {
	all := items(body, from)
	byType := map[string][]item{}
	for _, i := range all {
		if i.block != nil {
			byType[i.block.Type] = append(byType[i.block.Type], i)
		}
	}
	var out []string
	end := from
	for _, i := range all {
		end = i.end
		if i.attr != nil {
			out = append(out, w.head(i, len(out) == 0, depth)...)
			out = append(out, w.attribute(def, body, i)...)
			continue
		}
		group := byType[i.block.Type]
		if group == nil {
			continue // written with the first block of its type
		}
		delete(byType, i.block.Type)
		if len(out) > 0 && w.apart(i, depth) {
			out = append(out, "")
		}
		out = append(out, w.blocks(blockOf(def, i.block), i.block.Type, group, depth)...)
	}
	tail := w.comments.between(end, to)
	if len(tail) > 0 && len(all) > 0 && tail[0].trailing {
		tail = tail[1:] // it is behind the last item
	}
	if len(tail) > 0 && len(out) > 0 && w.comments.blankBefore(end, tail[0].start) {
		out = append(out, "")
	}
	return append(out, marked(tail)...)
}

// head returns the lines above an item: an empty line, comments.
func (w *yamlWriter) head(i item, first bool, depth int) []string {
	var out []string
	if !first && w.apart(i, depth) {
		out = append(out, "")
	}
	return append(out, marked(w.own(i))...)
}

// apart reports whether there is an empty line before an item: as in the source, and between large blocks.
func (w *yamlWriter) apart(i item, depth int) bool {
	return w.comments.blankBefore(i.from, i.start) || i.block != nil && depth < 2 && bytes.Contains(w.src[i.start:i.end], []byte("\n"))
}

// own returns the comments above an item.
func (w *yamlWriter) own(i item) []comment {
	above := w.comments.between(i.from, i.start)
	for len(above) > 0 && above[0].trailing && i.from > 0 {
		above = above[1:]
	}
	return above
}

// blocks writes all blocks of one type.
func (w *yamlWriter) blocks(def *language.Block, name string, group []item, depth int) []string {
	if len(group) == 1 && (def.Label == "" || def.Optional && len(group[0].block.Labels) == 0) {
		return append(w.head(group[0], true, depth), w.block(def, name, group[0], depth)...)
	}
	var out []string
	detached := w.detached(group[0])
	if detached {
		out = marked(w.own(group[0]))
	}
	out = append(out, name+":")
	for n, i := range group {
		var lines []string
		if n > 0 || !detached {
			lines = w.head(i, n == 0, depth)
		}
		if def.Label == "" {
			body := w.inner(def, i, depth)
			own := element(body.inline, body.lines)
			own[0] += body.behind
			lines = append(lines, own...)
		} else {
			label := ""
			if len(i.block.Labels) > 0 {
				label = i.block.Labels[0]
			}
			lines = append(lines, w.block(def, yamlKey(label), i, depth)...)
		}
		out = append(out, indented(lines)...)
	}
	return out
}

func (w *yamlWriter) block(def *language.Block, key string, i item, depth int) []string {
	n := w.inner(def, i, depth)
	head := key + ":"
	if n.inline != "" {
		head += " " + n.inline
	}
	return append([]string{head + n.behind}, indented(n.lines)...)
}

// node is a written value: the text on the line of its key, and the lines below.
type node struct {
	inline string
	behind string // a comment at the end of that line
	lines  []string
}

// inner writes the content of a block.
func (w *yamlWriter) inner(def *language.Block, i item, depth int) node {
	closed := w.onSameLine(i.end)
	if line, ok := w.oneLine(def, i); ok {
		return node{inline: line, behind: closed}
	}
	open := i.block.OpenBraceRange.End.Byte
	behind := w.comments.behind(open)
	if len(behind) > 0 && behind[0].start > firstItem(i.block.Body, i.end) {
		behind = nil
	}
	n := node{behind: onLine(behind), lines: w.body(def, i.block.Body, open, i.block.CloseBraceRange.Start.Byte, depth+1)}
	if len(behind) > 0 && len(n.lines) > 0 && len(items(i.block.Body, open)) == 0 {
		n.lines = n.lines[min(len(marked(behind)), len(n.lines)):]
	}
	if len(i.block.Body.Attributes)+len(i.block.Body.Blocks) == 0 {
		n.inline = "{}"
	}
	switch {
	case closed == "":
	case n.behind == "":
		n.behind = closed
	default:
		n.lines = append(n.lines, strings.TrimSpace(closed))
	}
	return n
}

// detached reports whether the comments above an item apply to more than the item, because an empty line follows them.
func (w *yamlWriter) detached(i item) bool {
	own := w.own(i)
	if len(own) == 0 {
		return false
	}
	return bytes.Count(w.src[own[len(own)-1].end:i.start], []byte("\n")) > 1
}

// oneLine writes a block with one attribute on one line.
func (w *yamlWriter) oneLine(def *language.Block, i item) (string, bool) {
	body := i.block.Body
	if len(body.Attributes) != 1 || len(body.Blocks) > 0 || bytes.Contains(w.src[i.start:i.end], []byte("\n")) || len(w.comments.between(i.start, i.end)) > 0 {
		return "", false
	}
	attr := items(body, 0)[0]
	n := w.attributeValue(def.Attribute(attr.attr.Name), body, attr)
	if len(n.lines) > 0 || len(n.inline) > maxFlow {
		return "", false
	}
	value := n.inline
	if value[0] != '[' && value[0] != '{' {
		value = flowSafe(value)
	}
	return "{ " + yamlKey(attr.attr.Name) + ": " + value + " }", true
}

func firstItem(body *hclsyntax.Body, otherwise int) int {
	for _, i := range items(body, 0) {
		return i.start
	}
	return otherwise
}

func (w *yamlWriter) attribute(def *language.Block, body *hclsyntax.Body, i item) []string {
	a := def.Attribute(i.attr.Name)
	n := w.attributeValue(a, body, i)
	line := yamlKey(i.attr.Name) + ":"
	if n.inline != "" {
		line += " " + n.inline
	}
	return append([]string{line + onLine(w.comments.behind(i.end))}, indented(n.lines)...)
}

func indented(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		if line != "" {
			out[i] = "  " + line
		}
	}
	return out
}

// element is an element of a list.
func element(inline string, lines []string) []string {
	if inline != "" {
		return append([]string{"- " + inline}, indented(lines)...)
	}
	if len(lines) == 0 {
		return []string{"- {}"}
	}
	out := indented(lines)
	out[0] = "- " + strings.TrimPrefix(out[0], "  ")
	return out
}
