package convert

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// yamlLiteral is null, a bool or a number.
func yamlLiteral(e *hclsyntax.LiteralValueExpr, src []byte) (string, bool) {
	switch {
	case e.Val.IsNull():
		return "null", true
	case e.Val.Type() == cty.Bool:
		return fmt.Sprint(e.Val.True()), true
	case e.Val.Type() == cty.Number:
		text := strings.TrimLeft(string(src[e.SrcRange.Start.Byte:e.SrcRange.End.Byte]), "0")
		if text == "" || text[0] < '1' || text[0] > '9' {
			text = "0" + text
		}
		return text, true
	}
	return "", false
}

var (
	// plainText matches text that every reader of YAML reads as this text without quotes, outside of brackets.
	plainText = regexp.MustCompile(`^([A-Za-z_/$]|-[A-Za-z-]|\.{1,2}/|[0-9]+[A-Za-df-wyzG-Z])[^\n\t\x00-\x1f#"'\\` + "`" + `]*$`)
	// word matches text that some readers of YAML read as another type.
	word     = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null|~|-+|<<|=)$`)
	numeral  = regexp.MustCompile(`^[-+.]*[0-9][0-9_.:eE+-]*$|^0[xob]`)
	plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_./-]*$`)
)

func isPlain(s string) bool {
	return plainText.MatchString(s) && !word.MatchString(s) && !numeral.MatchString(s) && !strings.Contains(s, ": ") &&
		!strings.HasSuffix(s, ":") && !strings.HasSuffix(s, " ") && !strings.HasPrefix(s, "--- ") && printable(s) &&
		!strings.HasPrefix(s, "$ ")
}

func printable(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || r == '\ufeff' || r == '\u2028' || r == '\u2029' || !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// yamlKey writes a key, with quotes if it needs them.
func yamlKey(s string) string {
	if plainKey.MatchString(s) && !word.MatchString(s) && !numeral.MatchString(s) {
		return s
	}
	return quotedYAML(s)
}

// yamlText writes text: plain if possible, as a block if it has several lines, and otherwise quoted.
func yamlText(s string) node {
	if isPlain(s) {
		return node{inline: s}
	}
	if lines, header := literalBlock(s); header != "" {
		return node{inline: header, lines: lines}
	}
	return node{inline: quotedYAML(s)}
}

// literalBlock writes text of several lines unchanged. The header is "" if that isn't possible.
func literalBlock(s string) (lines []string, header string) {
	body := strings.TrimRight(s, "\n")
	if !strings.Contains(s, "\n") || body == "" || body[0] == ' ' || body[0] == '\t' || body[0] == '\n' {
		return nil, ""
	}
	lines = strings.Split(body, "\n")
	for _, line := range lines {
		if line != "" && strings.Trim(line, " \t") == "" || !printable(strings.ReplaceAll(line, "\t", "")) {
			return nil, ""
		}
	}
	switch len(s) - len(body) {
	case 0:
		return lines, "|-"
	case 1:
		return lines, "|"
	}
	for range len(s) - len(body) - 1 {
		lines = append(lines, "")
	}
	return lines, "|+"
}

// quotedYAML writes text in the quotes that need fewer escapes.
func quotedYAML(s string) string {
	if printable(s) {
		switch {
		case !strings.ContainsAny(s, `"\`):
			return `"` + s + `"`
		default:
			return "'" + strings.ReplaceAll(s, "'", "''") + "'"
		}
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08X`, r)
		case r == utf8.RuneError || r == '\ufeff' || !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// flowSafe quotes plain text that has another meaning between brackets.
func flowSafe(s string) string {
	if s[0] != '"' && s[0] != '\'' && strings.ContainsAny(s, "{}[],:?") {
		return quotedYAML(s)
	}
	return s
}
