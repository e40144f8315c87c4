package pages

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
)

// A block is a fenced block of a page, or a comment with commands of the test.
type block struct {
	line   int
	lang   string // "test" for a comment
	marks  map[string]string
	text   string
	hidden bool
}

// is reports whether the block has a mark.
func (b *block) is(mark string) bool { _, ok := b.marks[mark]; return ok }

// command reports whether the block consists of commands.
func (b *block) command() bool { return b.lang == "sh" || b.lang == "console" }

func (b *block) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %w", b.line, fmt.Errorf(format, args...))
}

// places are the marks that say what a block is, if it isn't commands. A block has one of them.
var places = []string{"title", "append", "from", "in", "source", "check"}

// allowed are the marks of commands and of other blocks.
var allowed = map[bool][]string{
	true:  {"check", "cluster", "exit", "any-order", "background", "continued", "continues", "needs"},
	false: append([]string{"as"}, places...),
}

// read returns the blocks of a page in order.
func read(source []byte) ([]*block, error) {
	var blocks []*block
	var problem error
	lineOf := func(n ast.Node) int {
		if n.Lines().Len() == 0 {
			return 1
		}
		return 1 + strings.Count(string(source[:n.Lines().At(0).Start]), "\n")
	}
	_ = ast.Walk(goldmark.DefaultParser().Parse(text.NewReader(source)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering || problem != nil || n.Type() != ast.TypeBlock {
			return ast.WalkContinue, nil
		}
		b := &block{line: lineOf(n)}
		info := ""
		switch n := n.(type) {
		case *ast.CodeBlock:
			problem = b.errorf("a block that is indented has no marks: use a fence")
			return ast.WalkContinue, nil
		case *ast.FencedCodeBlock:
			if n.Info != nil {
				info = string(n.Info.Value(source))
			}
			b.text = string(n.Lines().Value(source))
		case *ast.HTMLBlock:
			whole := string(n.Lines().Value(source))
			if n.HasClosure() {
				whole += string(n.ClosureLine.Value(source))
			}
			var ok bool
			if info, b.text, ok = comment(whole); !ok {
				return ast.WalkContinue, nil
			}
			b.hidden = true
		default:
			return ast.WalkContinue, nil
		}
		if problem = b.mark(info); problem == nil && b.lang != "mermaid" {
			blocks = append(blocks, b)
		}
		return ast.WalkContinue, nil
	})
	return blocks, problem
}

// comment returns the marks and the commands of a comment of the test.
func comment(html string) (info, commands string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(html), "<!-- test")
	if !ok {
		return "", "", false
	}
	rest, _, _ = strings.Cut(rest, "-->")
	info, commands, _ = strings.Cut(rest, "\n")
	return "sh " + info, commands, true
}

var field = regexp.MustCompile(`([a-z-]+)(?:=(?:"([^"]*)"|(\S+)))?(?:\s+|$)`)

// mark reads the info string of a block.
func (b *block) mark(info string) error {
	b.lang, info, _ = strings.Cut(strings.TrimSpace(info), " ")
	b.marks = map[string]string{}
	for info = strings.TrimSpace(info); info != ""; {
		m := field.FindStringSubmatch(info)
		if m == nil || !strings.HasPrefix(info, m[0]) {
			return b.errorf("%q is not a mark", info)
		}
		if !slices.Contains(allowed[b.command()], m[1]) {
			return b.errorf("a block of %q can't have the mark %q", b.lang, m[1])
		}
		b.marks[m[1]] = m[2] + m[3]
		info = info[len(m[0]):]
	}
	if b.command() || b.lang == "mermaid" {
		return nil
	}
	n := 0
	for _, place := range places {
		if b.is(place) {
			n++
		}
	}
	if n != 1 {
		return b.errorf("a block of %q needs one of the marks %s", b.lang, strings.Join(places, ", "))
	}
	return nil
}

// A command is one command of a console, with the lines that it prints.
type command struct {
	text string
	want []string
}

// commands returns the commands of a block. A script is one command.
func (b *block) commands() ([]command, error) {
	if b.lang == "sh" {
		return []command{{text: b.text}}, nil
	}
	var out []command
	var more bool
	for line := range strings.Lines(b.text) {
		line = strings.TrimSuffix(line, "\n")
		start, isStart := strings.CutPrefix(line, "$ ")
		switch {
		case more:
			out[len(out)-1].text += "\n" + line
		case isStart:
			out = append(out, command{text: start})
		case len(out) == 0:
			return nil, b.errorf("a console begins with a command: $ …")
		default:
			last := &out[len(out)-1]
			last.want = append(last.want, line)
		}
		more = (more || isStart) && strings.HasSuffix(line, `\`)
	}
	if len(out) == 0 {
		return nil, b.errorf("a console without a command")
	}
	return out, nil
}
