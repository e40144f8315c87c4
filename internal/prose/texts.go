package prose

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// A Text is a piece of prose of a file. Code in it is replaced by spaces.
type Text struct {
	Line int // where it begins in its file, counted from 1
	Text string
}

// Texts returns the prose of a file, and nothing for a kind of file that it doesn't know.
func Texts(name string, content []byte) ([]Text, error) {
	switch path.Ext(name) {
	case ".go":
		return goTexts(name, content)
	case ".md":
		return []Text{{1, markdown(string(content))}}, nil
	case ".txtar":
		return txtarTexts(content), nil
	case ".sh", ".py", ".hcl", ".yaml", ".yml", ".mk":
		return []Text{{1, comments(string(content))}}, nil
	}
	if path.Base(name) == "Makefile" || path.Base(name) == "Dockerfile" {
		return []Text{{1, comments(string(content))}}, nil
	}
	return nil, nil
}

// goTexts returns the comments of a Go file and, unless it is a test, its string literals.
func goTexts(name string, content []byte) ([]Text, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, content, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	test := strings.HasSuffix(name, "_test.go")
	names := map[string]bool{}
	var texts []Text
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.FuncDecl:
			names[n.Name.Name] = true
		case *ast.TypeSpec:
			names[n.Name.Name] = true
		case *ast.ValueSpec:
			for _, name := range n.Names {
				names[name.Name] = true
			}
		case *ast.Field:
			n.Tag = nil
			for _, name := range n.Names {
				names[name.Name] = true
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING && !test {
				if s, err := strconv.Unquote(n.Value); err == nil && strings.Contains(s, " ") {
					if n.Value[0] == '"' {
						s = strings.ReplaceAll(s, "\n", " ") // an interpreted literal is on one line
					}
					texts = append(texts, Text{fset.Position(n.Pos()).Line, blankSpans(s)})
				}
			}
		}
		return true
	})
	for _, group := range file.Comments {
		var lines []string
		for _, c := range group.List {
			lines = append(lines, strings.Split(commentText(c.Text), "\n")...)
		}
		// The name that a doc comment begins with is an identifier, whatever it is called.
		if first, rest, ok := strings.Cut(lines[0], " "); ok && names[first] {
			lines[0] = "X " + rest
		}
		texts = append(texts, Text{fset.Position(group.Pos()).Line, blankSpans(strings.Join(lines, "\n"))})
	}
	return texts, nil
}

// commentText returns a comment without its markers. Lines that doc comments print as code, and directives, are blank.
func commentText(c string) string {
	if body, ok := strings.CutPrefix(c, "//"); ok {
		if strings.HasPrefix(body, "\t") || body != "" && body[0] != ' ' {
			return ""
		}
		return strings.TrimSpace(body)
	}
	return strings.TrimSuffix(strings.TrimPrefix(c, "/*"), "*/")
}

var (
	codeSpan   = regexp.MustCompile("`[^`]*`|\\[[*A-Z][A-Za-z0-9_.]*\\]")
	linkTarget = regexp.MustCompile(`\]\([^)]*\)|<[a-z/!][^>]*>|https?://\S+`)
)

// blankSpans replaces code spans and links to identifiers by spaces, and keeps line breaks.
func blankSpans(s string) string {
	return codeSpan.ReplaceAllStringFunc(s, blank)
}

func blank(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return '_'
	}, s)
}

// markdown returns the text of a page without its code blocks, code spans, tags and the targets of its links.
func markdown(s string) string {
	lines := strings.Split(s, "\n")
	fence := ""
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		switch {
		case fence != "":
			if strings.HasPrefix(trimmed, fence) && strings.Trim(trimmed, fence[:1]) == "" {
				fence = ""
			}
			lines[i] = ""
		case strings.HasPrefix(trimmed, "```"):
			fence = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, "`"))]
			lines[i] = ""
		}
	}
	return linkTarget.ReplaceAllStringFunc(blankSpans(strings.Join(lines, "\n")), blank)
}

var (
	hashComment = regexp.MustCompile(`(?:^|\s)(?:#|//)+ (.*)$`)
	printed     = regexp.MustCompile(`(?:^|[\s;&|{])(?:echo|printf|say|die|fail)\s+(?:>&2\s+)?["'](.*)["']`)
)

// comments returns what follows # or // on each line of a script, and the quoted text that a script prints. Other lines are blank.
func comments(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		text := ""
		if m := hashComment.FindStringSubmatch(line); m != nil {
			text = m[1]
		} else if m := printed.FindStringSubmatch(line); m != nil {
			text = m[1]
		}
		lines[i] = text
	}
	return blankSpans(strings.Join(lines, "\n"))
}

// The lines of a golden file that are pipec's own text, and not the project in it.
var reported = regexp.MustCompile(`^(?:error|warning|note|help)(?:\[[a-z-]+\])?: (.*)$`)

var fileMarker = regexp.MustCompile(`^-- .+ --$`)

// txtarTexts returns the comment of a txtar archive and the messages in its files. Of a script only the lines with # are a comment.
func txtarTexts(content []byte) []Text {
	lines := strings.Split(string(content), "\n")
	head := len(lines)
	script := false
	for i, line := range lines {
		if fileMarker.MatchString(line) {
			head = i
			break
		}
		script = script || strings.HasPrefix(line, "#")
	}
	for i, line := range lines {
		text := ""
		if m := reported.FindStringSubmatch(line); m != nil {
			text = m[1]
		} else if i < head && (!script || strings.HasPrefix(line, "#")) {
			text = strings.TrimLeft(line, "# ")
		}
		lines[i] = text
	}
	return []Text{{1, blankSpans(strings.Join(lines, "\n"))}}
}
