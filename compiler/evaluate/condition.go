package evaluate

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
)

// condition returns the expression that is probably meant by a string where a bool is expected: step.a.status == "succeeded" for
// "${step.a.status} == succeeded". It returns "" if the string is not the text of a comparison.
func condition(e hcl.Expression, sources expr.Sources) string {
	template, ok := unwrap(e).(*hclsyntax.TemplateExpr)
	if !ok || sources == nil {
		return ""
	}
	src := sources(template.SrcRange.Filename)
	var b strings.Builder
	for _, part := range template.Parts {
		if v, plain := literal(part); plain && !v.IsNull() && v.Type() == cty.String {
			b.WriteString(quoteWords(v.AsString()))
			continue
		}
		at := part.Range()
		if !at.CanSliceBytes(src) {
			return ""
		}
		b.Write(at.SliceBytes(src))
	}
	text := strings.TrimSpace(b.String())
	node, err := expr.Parse(text)
	if err != nil {
		return ""
	}
	switch node.(type) {
	case *hclsyntax.BinaryOpExpr, *hclsyntax.UnaryOpExpr:
		return text
	}
	return ""
}

var bareWord = regexp.MustCompile(`'[^']*'|"[^"]*"|[A-Za-z_][A-Za-z0-9_.\[\]*-]*`)

// quoteWords puts words that are neither references nor keywords in quotes.
func quoteWords(text string) string {
	return bareWord.ReplaceAllStringFunc(text, func(word string) string {
		root, _, _ := strings.Cut(word, ".")
		_, known := roots[root]
		switch {
		case word[0] == '"', known && root != word, word == "true", word == "false", word == "null":
			return word
		}
		return `"` + strings.Trim(word, "'") + `"`
	})
}
