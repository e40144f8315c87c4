package diag

import (
	"path/filepath"
	"regexp"
	"strings"
)

// inYAML returns d with its suggestion and its detail in the spelling of YAML, if it is about a file in YAML: `timeout: "2h"` for
// `timeout = "2h"`, and `security: {host_paths: true}` for `security { host_paths = true }`.
func (d Diagnostic) inYAML() Diagnostic {
	if ext := filepath.Ext(d.Range.Filename); ext != ".yaml" && ext != ".yml" {
		return d
	}
	d.Summary, d.Detail, d.Suggestion = toYAML(d.Summary), toYAML(d.Detail), toYAML(d.Suggestion)
	return d
}

// itemStart matches the start of an attribute or a block in a message: `name = `, `name { ` or `name "label" { `.
var itemStart = regexp.MustCompile(`(?:^|[\s{(` + "`" + `])([a-z_]+|[A-Z]+) (?:= |("[^"]*") \{ |\{ )`)

// yamlForm reads the attributes and blocks in a message.
type yamlForm struct {
	in  string
	out strings.Builder
}

// toYAML replaces the attributes and blocks in a text. What it can't read stays as it is.
func toYAML(text string) string {
	if !strings.Contains(text, " = ") && !strings.Contains(text, " { ") && !strings.Contains(text, ": { ") {
		return text
	}
	var out strings.Builder
	for {
		m := itemStart.FindStringSubmatchIndex(text)
		if m == nil {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:m[2]])
		f := yamlForm{in: text[m[2]:]}
		if inExpression(out.String()) || !f.item(false) {
			out.WriteString(text[m[2]:m[3]])
			text = text[m[3]:]
			continue
		}
		out.WriteString(f.out.String())
		text = f.in
	}
}

// inExpression reports whether what follows a text is in quotes, or in the parentheses of a type or a call, which YAML has as text.
func inExpression(before string) bool {
	return strings.Count(before, `"`)%2 == 1 || strings.Count(before, "({") > strings.Count(before, "})")
}

var yamlItem = regexp.MustCompile(`^([A-Za-z_%"][^\s={}]*)(?: ("[^"]*"))? (=|\{)(?: |$)`)

// item reads one attribute or block. inside: it is inside of a block or an object.
func (f *yamlForm) item(inside bool) bool {
	m := yamlItem.FindStringSubmatch(f.in)
	if m == nil || m[2] != "" && m[3] == "=" {
		return false
	}
	f.in = f.in[len(m[0]):]
	f.out.WriteString(m[1] + ": ")
	if m[3] == "=" {
		return f.value(m[1], inside)
	}
	if m[2] != "" {
		f.out.WriteString("{" + strings.Trim(m[2], `"`) + ": ")
	}
	ok := f.body()
	if m[2] != "" {
		f.out.WriteByte('}')
	}
	return ok
}

// body reads the content of a block or an object behind its bracket, up to the closing one.
func (f *yamlForm) body() bool {
	f.out.WriteByte('{')
	for first := true; ; first = false {
		f.in = strings.TrimLeft(f.in, " ,")
		switch rest, closed := strings.CutPrefix(f.in, "}"); {
		case closed:
			f.in = rest
			f.out.WriteByte('}')
			return true
		case !first:
			f.out.WriteString(", ")
		}
		if rest, omitted := strings.CutPrefix(f.in, "…"); omitted {
			f.in = rest
			f.out.WriteString("…")
			continue
		}
		if !f.item(true) {
			return false
		}
	}
}

// yamlWord matches a value that is neither a string nor an object.
var yamlWord = regexp.MustCompile(`^(\[[^\]]*\]|[^\s,}]+)`)

// yamlReference matches a value that is an expression in YAML. References to declarations are not.
var yamlReference = regexp.MustCompile(`^(var|local|param|step|input|output|each|run)\.`)

func (f *yamlForm) value(name string, inside bool) bool {
	if rest, object := strings.CutPrefix(f.in, "{ "); object {
		f.in = rest
		return f.body()
	}
	if strings.HasPrefix(f.in, `"`) {
		end := strings.IndexByte(f.in[1:], '"')
		if end < 0 {
			return false
		}
		f.out.WriteString(f.in[:end+2])
		f.in = f.in[end+2:]
		return true
	}
	text := yamlWord.FindString(f.in)
	if text == "" {
		return false
	}
	f.in = f.in[len(text):]
	rest := strings.TrimRight(text, ":;.)`")
	f.in, text = text[len(rest):]+f.in, rest
	switch {
	case !yamlReference.MatchString(text) || name == "depends_on":
	case inside:
		text = `"${` + text + `}"`
	default:
		text = "${" + text + "}"
	}
	f.out.WriteString(text)
	return true
}
