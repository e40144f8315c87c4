package lsp

import (
	"fmt"
	"strings"

	"pipec.dev/pipec/schema/language"
)

// valueSnippet is what a value looks like, with its n-th place to fill in.
func valueSnippet(a *language.Attribute, n int) string {
	switch {
	case len(a.OneOf) > 0:
		return fmt.Sprintf(`"${%d|%s|}"`, n, strings.Join(a.OneOf, ","))
	case a.Kind == language.Ref:
		return fmt.Sprintf("${%d:%s.}", n, a.Name)
	case a.Kind == language.Refs || strings.HasPrefix(a.Type, "list(") || strings.HasPrefix(a.Type, "set("):
		return fmt.Sprintf("[${%d}]", n)
	case a.Kind == language.Const && a.Type == "string":
		return fmt.Sprintf(`"${%d}"`, n)
	case a.Type == "bool" && a.Default == "false":
		return fmt.Sprintf("${%d:true}", n)
	case a.Kind == language.Types || strings.HasPrefix(a.Type, "map("):
		return fmt.Sprintf("{\n\t${%d}\n}", n)
	}
	return fmt.Sprintf("${%d}", n)
}

// blockSnippet is a block with its label and its required attributes to fill in.
func blockSnippet(b *language.Block) string {
	n := 0
	next := func() int { n++; return n }
	text := b.Name
	switch {
	case b.Labels != nil:
		text += fmt.Sprintf(` "${%d|%s|}"`, next(), strings.Join(b.Labels, ","))
	case !b.Bare():
		text += fmt.Sprintf(` "${%d:%s}"`, next(), b.Label)
	}
	text += " {\n"
	for _, a := range b.Attributes {
		if a.Required && a.Only == nil {
			text += "\t" + a.Name + " = " + valueSnippet(a, next()) + "\n"
		}
	}
	return text + "\t$0\n}"
}

// valueYAML is what a value looks like in YAML, behind the colon, with its n-th place to fill in.
func valueYAML(a *language.Attribute, n int) string {
	switch {
	case len(a.OneOf) > 0:
		return fmt.Sprintf(" ${%d|%s|}", n, strings.Join(a.OneOf, ","))
	case a.Kind == language.Ref:
		return fmt.Sprintf(" ${%d:%s.}", n, a.Name)
	case a.Kind == language.Refs || strings.HasPrefix(a.Type, "list(") || strings.HasPrefix(a.Type, "set("):
		return fmt.Sprintf(" [${%d}]", n)
	case a.Type == "bool" && a.Default == "false":
		return fmt.Sprintf(" ${%d:true}", n)
	case a.Kind == language.Types || strings.HasPrefix(a.Type, "map("):
		return fmt.Sprintf("\n  ${%d}", n)
	}
	return fmt.Sprintf(" ${%d}", n)
}

// blockYAML is a block in YAML with its label and its required attributes to fill in.
func blockYAML(b *language.Block) string {
	n := 0
	next := func() int { n++; return n }
	text, indent := b.Name+":\n", "  "
	switch {
	case b.Labels != nil:
		text += fmt.Sprintf("  ${%d|%s|}:\n", next(), strings.Join(b.Labels, ","))
		indent += "  "
	case !b.Bare():
		text += fmt.Sprintf("  ${%d:%s}:\n", next(), b.Label)
		indent += "  "
	}
	for _, a := range b.Attributes {
		if a.Required && a.Only == nil {
			text += indent + a.Name + ":" + strings.ReplaceAll(valueYAML(a, next()), "\n", "\n"+indent) + "\n"
		}
	}
	return text + indent + "$0"
}
