package convert

import (
	"bytes"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// comment is one comment of a source: the lines of its text without comment marks.
type comment struct {
	start, end int
	lines      []string
	trailing   bool // there is something before it on its line
}

// comments are the comments of a source, by position.
type comments struct {
	src []byte
	all []comment
}

// hclComments finds the comments of a source in HCL.
func hclComments(src []byte) *comments {
	c := &comments{src: src}
	tokens, _ := hclsyntax.LexConfig(src, "", hcl.InitialPos)
	for _, t := range tokens {
		if t.Type == hclsyntax.TokenComment {
			text := strings.TrimRight(string(t.Bytes), "\n")
			c.add(t.Range.Start.Byte, t.Range.Start.Byte+len(text), commentLines(text))
		}
	}
	return c
}

// commentLines removes the marks from a comment of HCL.
func commentLines(text string) []string {
	inner, long := strings.CutPrefix(text, "/*")
	if !long {
		if rest, ok := strings.CutPrefix(text, "//"); ok {
			return []string{rest}
		}
		return []string{strings.TrimPrefix(text, "#")}
	}
	var out []string
	for line := range strings.SplitSeq(strings.TrimSuffix(inner, "*/"), "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "* "))
		if line != "" && line != "*" {
			out = append(out, " "+line)
		}
	}
	return out
}

func (c *comments) add(start, end int, lines []string) {
	line := bytes.LastIndexByte(c.src[:start], '\n') + 1
	c.all = append(c.all, comment{start, end, lines, len(bytes.TrimSpace(c.src[line:start])) > 0})
}

// between returns the comments between two positions.
func (c *comments) between(from, to int) []comment {
	i := sort.Search(len(c.all), func(i int) bool { return c.all[i].start >= from })
	j := sort.Search(len(c.all), func(i int) bool { return c.all[i].start >= to })
	if i >= j {
		return nil
	}
	return c.all[i:j]
}

// behind returns the comments on the rest of the line after a position.
func (c *comments) behind(end int) []comment {
	end = min(end, len(c.src))
	if end > 0 && c.src[end-1] == '\n' {
		return nil
	}
	line := bytes.IndexByte(c.src[end:], '\n')
	if line < 0 {
		line = len(c.src) - end
	}
	return c.between(end, end+line)
}

// blankBefore reports whether there is an empty line before what starts at a position, and before the comments above it.
func (c *comments) blankBefore(from, start int) bool {
	from, start = max(from, 0), min(start, len(c.src))
	if own := c.between(from, start); len(own) > 0 {
		for _, o := range own {
			if !o.trailing {
				start = o.start
				break
			}
		}
	}
	if from >= start {
		return false
	}
	gap := c.src[from:start]
	first := bytes.IndexByte(gap, '\n')
	if first < 0 {
		return false
	}
	for rest := gap[first+1:]; ; {
		line, after, whole := bytes.Cut(rest, []byte("\n"))
		if !whole {
			return false
		}
		if len(bytes.TrimSpace(line)) == 0 {
			return true
		}
		rest = after
	}
}

// marked returns the lines of comments, each with a #.
func marked(list []comment) []string {
	var out []string
	for _, o := range list {
		for _, line := range o.lines {
			out = append(out, strings.TrimRight("#"+line, " \t\r"))
		}
	}
	return out
}

// onLine returns a comment at the end of a line, or "".
func onLine(list []comment) string {
	if lines := marked(list); len(lines) > 0 {
		return "  " + lines[0] + strings.ReplaceAll(strings.Join(lines[1:], ""), "#", "")
	}
	return ""
}
