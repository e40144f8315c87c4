package lint

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
)

// mark is the beginning of a comment that ignores findings.
const mark = "pipec:ignore"

// Ignores are the comments of a project's sources that ignore findings of a rule:
//
//	# pipec:ignore CODE reason
//
// Such a comment applies to what begins on its own line or, if it is alone on its line, on the next line: an attribute, or
// a block with everything in it. Several codes are separated by commas.
type Ignores struct {
	all   []*ignore
	spans map[place][]*ignore // sorted by the first line
}

// place is a key for looking up ignores.
type place struct{ file, code string }

// ignore is one code of one comment.
type ignore struct {
	code        string
	comment     Comment
	siblings    []*ignore // all of the comment
	reason      string
	first, last int // the lines that it applies to
	used        bool
}

var ignoreComment = pattern(`^pipec:\s*ignore\b:?\s*`)

// FindIgnores reads the ignores from the sources. blocks are needed for the last lines that they apply to.
func FindIgnores(blocks []*decode.Block, sources map[string][]byte) *Ignores {
	out := &Ignores{spans: map[place][]*ignore{}}
	var ends map[string]map[int]int
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		src := sources[name]
		if !bytes.Contains(src, []byte("pipec:")) {
			continue
		}
		var found []*ignore
		list := comments(name, src)
		for i, c := range list {
			if ignoreComment().MatchString(c.Text) {
				found = append(found, parse(c, target(list, i))...)
			}
		}
		if len(found) > 0 && ends == nil {
			ends = extents(blocks)
		}
		for _, g := range found {
			g.last = max(g.first, ends[name][g.first])
			out.all = append(out.all, g)
			at := place{name, g.code}
			out.spans[at] = append(out.spans[at], g)
		}
	}
	for _, list := range out.spans {
		slices.SortStableFunc(list, func(a, b *ignore) int { return a.first - b.first })
	}
	return out
}

// parse reads the codes and the reason of a comment that applies to a line.
func parse(c Comment, line int) []*ignore {
	words := strings.Fields(c.Text[len(ignoreComment().FindString(c.Text)):])
	var codes []string
	for more := true; more && len(words) > 0; words = words[1:] {
		more = strings.HasSuffix(words[0], ",")
		for code := range strings.SplitSeq(words[0], ",") {
			if code != "" {
				codes = append(codes, code)
			}
		}
	}
	reason := strings.Join(words, " ")
	if len(codes) == 0 {
		return []*ignore{{comment: c, first: line}} // reported by a rule
	}
	var out []*ignore
	for _, code := range codes {
		out = append(out, &ignore{code: code, comment: c, reason: reason, first: line})
	}
	for _, g := range out {
		g.siblings = out
	}
	return out
}

// target returns the line that comment i applies to. Comments in a sequence apply to what follows all of them.
func target(list []Comment, i int) int {
	c := list[i]
	if !c.Alone {
		return c.Range.Start.Line
	}
	line := c.Range.End.Line + 1
	for _, next := range list[i+1:] {
		if !next.Alone || next.Range.Start.Line != line {
			break
		}
		line = next.Range.End.Line + 1
	}
	return line
}

// extents returns, by file and line, the last line of the attribute or block that begins there.
func extents(blocks []*decode.Block) map[string]map[int]int {
	out := map[string]map[int]int{}
	add := func(r hcl.Range, last int) {
		lines := out[r.Filename]
		if lines == nil {
			lines = map[int]int{}
			out[r.Filename] = lines
		}
		lines[r.Start.Line] = max(lines[r.Start.Line], last)
	}
	var walk func(b *decode.Block) int
	walk = func(b *decode.Block) int {
		last := b.DefRange.End.Line
		for _, a := range b.Attrs {
			add(a.Range, a.Range.End.Line)
			last = max(last, a.Range.End.Line)
		}
		for _, n := range b.Blocks {
			last = max(last, walk(n))
		}
		add(b.DefRange, last)
		return last
	}
	for _, b := range blocks {
		walk(b)
	}
	return out
}

// Apply removes the ignored diagnostics, and marks the comments that were used. An error of the compiler can't be ignored.
func (g *Ignores) Apply(ds []diag.Diagnostic) []diag.Diagnostic {
	if g == nil || len(g.all) == 0 {
		return ds
	}
	groups := map[place][]int{}
	for i, d := range ds {
		if at := (place{d.Range.Filename, d.Code}); len(g.spans[at]) > 0 && !unignorable(d) {
			groups[at] = append(groups[at], i)
		}
	}
	drop := make([]bool, len(ds))
	for at, group := range groups {
		slices.SortFunc(group, func(a, b int) int { return ds[a].Range.Start.Line - ds[b].Range.Start.Line })
		var open []*ignore // the ones that contain the position, outermost first
		spans := g.spans[at]
		for _, i := range group {
			line := ds[i].Range.Start.Line
			for len(spans) > 0 && spans[0].first <= line {
				open = append(open, spans[0])
				spans = spans[1:]
			}
			for len(open) > 0 && open[len(open)-1].last < line {
				open = open[:len(open)-1]
			}
			if len(open) > 0 {
				drop[i] = true
				open[len(open)-1].used = true
			}
		}
	}
	var out []diag.Diagnostic
	for i, d := range ds {
		if !drop[i] {
			out = append(out, d)
		}
	}
	return out
}

func unignorable(d diag.Diagnostic) bool {
	c, ofCompiler := diag.Lookup(d.Code)
	return ofCompiler && c.Severity == diag.Error
}
