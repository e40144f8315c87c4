package yaml

import "sort"

// Comment is a comment of the source: its position, and its text after the #.
type Comment struct {
	Start, End int
	Text       string
}

// Comments returns the comments of the source, by position: every # at the start of a line or after a blank that is not in
// a scalar.
func (t *Tree) Comments() []Comment {
	spans := t.scalars
	sort.Slice(spans, func(i, j int) bool { return spans[i].start < spans[j].start })
	src := t.places.src
	var out []Comment
	next := 0
	for i := 0; i < len(src); i++ {
		for next < len(spans) && spans[next].end <= i {
			next++
		}
		if next < len(spans) && spans[next].start <= i {
			i = spans[next].end - 1
			continue
		}
		if src[i] != '#' || i > 0 && !blank(src[i-1]) && breakAt(src, i-1) == 0 && src[i-1] != '\n' {
			continue
		}
		end := t.places.endOfLine(i)
		out = append(out, Comment{i, end, string(src[i+1 : end])})
		i = end
	}
	return out
}
