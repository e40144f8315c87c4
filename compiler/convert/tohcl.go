package convert

import (
	"bytes"
	"strings"

	"pipec.dev/pipec/compiler/yaml"
)

// toHCL writes a tree that was read from YAML as HCL.
func toHCL(tree *yaml.Tree, src []byte) []byte {
	c := &comments{src: src}
	for _, o := range tree.Comments() {
		c.add(o.Start, o.End, []string{o.Text})
	}
	w := &hclWriter{comments: c, types: definiteIn(tree.Root)}
	w.body(tree.Root, 0, len(src), 0)
	return formatted([]byte(strings.TrimLeft(w.b.String(), "\n")))
}

type hclWriter struct {
	b        strings.Builder
	comments *comments
	types    map[string]bool // the references that are text
}

// body writes the content of a block between two positions of the source. It returns up to where the source's comments have
// been written, which may be after the block, on its last line.
func (w *hclWriter) body(body *yaml.Body, from, to, depth int) int {
	for n, item := range body.Items {
		isBlock := item.Body != nil
		large := isBlock && depth < 2 && !w.oneLine(item)
		if n > 0 && (large || w.comments.blankBefore(from, item.Start)) {
			w.b.WriteString("\n")
		}
		here := item.Start >= from // the value of an alias is elsewhere in the source
		if here {
			if isBlock && item.TypeStart > from && item.TypeStart < item.Start && len(w.comments.between(from, item.TypeStart)) > 0 {
				w.head(from, item.TypeStart) // above all blocks of the type
				w.b.WriteString("\n")
				from = item.TypeStart
			}
			w.head(from, item.Start)
			from = item.End
		}
		if isBlock {
			from = max(from, w.block(item, depth))
			continue
		}
		if here {
			w.head(item.Start, item.Value.Start)
		}
		text, written := w.expression(item.Value, body, item)
		w.b.WriteString(item.Name + " = " + text)
		if behind := w.comments.behind(item.End); len(behind) > 0 && here {
			if written <= behind[0].start { // otherwise it is behind the last element
				w.b.WriteString(onLine(behind))
			}
			from = max(from, behind[len(behind)-1].end)
		}
		w.b.WriteString("\n")
	}
	w.head(from, to)
	return max(from, to)
}

// head writes comments as lines of their own.
func (w *hclWriter) head(from, to int) {
	for _, line := range marked(w.comments.between(from, to)) {
		w.b.WriteString(line + "\n")
	}
}

// block writes a block, and returns up to where the source's comments have been written.
func (w *hclWriter) block(item *yaml.Item, depth int) int {
	w.b.WriteString(item.Name)
	if def := item.Body.Def; def.Label != "" && !(def.Optional && item.Label == "") {
		w.b.WriteString(` "` + quotedText(item.Label) + `"`)
	}
	w.b.WriteString(" {")
	if w.oneLine(item) {
		a := item.Body.Items[0]
		text, _ := w.expression(a.Value, item.Body, a) // on one line it has no comments
		w.b.WriteString(" " + a.Name + " = " + text + " }")
		behind := w.comments.behind(item.End)
		w.b.WriteString(onLine(behind) + "\n")
		if len(behind) > 0 {
			return behind[len(behind)-1].end
		}
		return item.End
	}
	from := item.Start
	if behind := w.comments.behind(w.endOfName(item)); len(behind) > 0 {
		w.b.WriteString(onLine(behind))
		from = behind[len(behind)-1].end
	}
	if len(item.Body.Items) == 0 {
		w.b.WriteString("}\n")
		return from
	}
	w.b.WriteString("\n")
	from = w.body(item.Body, from, max(from, item.End), depth+1)
	w.b.WriteString("}\n")
	return from
}

// oneLine reports whether a block is one line: one attribute, in YAML on the line of its label.
func (w *hclWriter) oneLine(item *yaml.Item) bool {
	if item.Body == nil || len(item.Body.Items) != 1 || item.Body.Items[0].Value == nil {
		return false
	}
	a := item.Body.Items[0]
	if item.Start > a.Start || a.End > len(w.comments.src) || a.Value.End < item.Start || bytes.Contains(w.comments.src[item.Start:item.End], []byte("\n")) {
		return false
	}
	text, _ := w.expression(a.Value, item.Body, a)
	return !strings.Contains(text, "\n") && len(text) <= maxFlow
}

// endOfName returns the position after the colon of a block's key.
func (w *hclWriter) endOfName(item *yaml.Item) int {
	at := item.Start
	for at < len(w.comments.src) && w.comments.src[at] != ':' && w.comments.src[at] != '\n' {
		at++
	}
	return min(at+1, len(w.comments.src))
}
