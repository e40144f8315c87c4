package docs

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/types"
)

// intro is what the table can't contain: names, references, types, and the rules of meaning.
//
//go:embed language.md
var intro string

// kinds are what an attribute's expression may refer to, as the page shows it.
var kinds = []struct {
	kind language.Kind
	name string
	doc  string
}{
	{language.Const, "constant", "`var.x`, `local.x` and functions. Its value is known when compiling."},
	{language.Runtime, "runtime", "Also `param.x`, `step.x.y`, `step.x.status` and `run`. Its value is known when the step starts."},
	{language.Own, "own", "Also the step's `input.x` and `output.y`. Its value is known when the step's process starts."},
	{language.Retry, "retry", "`var`, `local`, `input`, `attempt`, `exit_code` and `reason`. Its value is known when an attempt has ended."},
	{language.Ref, "reference", "No expression: the address of a declaration, such as `code.steps`; if its type is `string`, a constant string is allowed too."},
	{language.Refs, "references", "No expression: a list of addresses of steps."},
	{language.Type, "type", "No expression: a type."},
	{language.Types, "types", "No expression: a map from names to types, or a list of names."},
}

// Language writes the reference of the language: every block and attribute of the table.
func Language(w io.Writer) error {
	b := bufio.NewWriter(w)
	words := slices.DeleteFunc(types.Words(), func(word string) bool {
		_, err := types.ParseString(word)
		return err != nil
	})
	intro := strings.NewReplacer("{{version}}", language.Version, "{{kinds}}", "`"+strings.Join(types.Kinds, "` `")+"`",
		"{{words}}", "`"+strings.Join(words, "` `")+"`").Replace(intro)
	fmt.Fprint(b, intro)
	fmt.Fprint(b, "\n## What an attribute may refer to\n\n| kind | its expression |\n|---|---|\n")
	for _, k := range kinds {
		fmt.Fprintf(b, "| %s | %s |\n", k.name, k.doc)
	}
	fmt.Fprint(b, "\n# Blocks\n")
	bodies := map[string]string{}
	for _, block := range language.Root().Blocks {
		writeBlock(b, block, nil, bodies)
	}
	return b.Flush()
}

// writeBlock writes a block and those in it. bodies are the blocks that are already written, by their text: a block with
// the same attributes and blocks as another one refers to it.
func writeBlock(w io.Writer, block *language.Block, parents []string, bodies map[string]string) {
	path := append(slices.Clone(parents), block.Name)
	fmt.Fprintf(w, "\n%s %s\n\n%s\n", strings.Repeat("#", min(len(path)+1, 6)), strings.Join(path, " › "), block.Doc)
	fmt.Fprintf(w, "\n```hcl\n%s\n```\n", form(block))
	if block.Only != nil {
		var in []string
		for _, kind := range block.Only {
			in = append(in, fmt.Sprintf("`%s %q`", parents[len(parents)-1], kind))
		}
		fmt.Fprintf(w, "\nOnly in %s.\n", strings.Join(in, ", "))
	}
	if !language.Supported(block.Since) {
		fmt.Fprintf(w, "\n**%s**\n", notYet(block.Since))
	}
	var body strings.Builder
	writeAttributes(&body, block)
	if len(block.Blocks) > 0 {
		key := body.String() + strings.Join(block.Names(), " ")
		if first, same := bodies[key]; same {
			fmt.Fprintf(w, "\nThis block has the same attributes and blocks as [%s](#%s).\n", first, anchor(first))
			return
		}
		bodies[key] = strings.Join(path, " › ")
	}
	fmt.Fprint(w, body.String())
	for _, n := range block.Blocks {
		writeBlock(w, n, path, bodies)
	}
}

// anchor returns the anchor that Git hosts generate for a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ReplaceAll(heading, "›", ""), " ", "-")
}

// form returns the syntax of a block.
func form(b *language.Block) string {
	open := func(label string) string {
		switch {
		case label != "" && b.Optional:
			label = fmt.Sprintf(" [%q]", label)
		case label != "":
			label = fmt.Sprintf(" %q", label)
		}
		return b.Name + label + " { … }"
	}
	if b.Labels == nil {
		text := open(b.Label)
		if b.Single {
			text += "  # at most one"
		}
		return text
	}
	var lines []string
	for _, l := range b.Labels {
		lines = append(lines, open(l))
	}
	if b.Single {
		lines[0] += "  # at most one of them"
	}
	return strings.Join(lines, "\n")
}

func writeAttributes(w io.Writer, b *language.Block) {
	if b.Free {
		fmt.Fprint(w, "\nYou choose the names of its attributes. Their kind is constant.\n")
		return
	}
	if len(b.Attributes) == 0 {
		return
	}
	fmt.Fprint(w, "\n| attribute | type | kind | default | |\n|---|---|---|---|---|\n")
	for _, a := range b.Attributes {
		fmt.Fprintf(w, "| `%s` | %s | %s | %s | %s |\n", a.Name, valueType(a), kindOf(a), byDefault(a), attributeDoc(a))
	}
}

func attributeDoc(a *language.Attribute) string {
	text := cell(a.Doc)
	if a.Only != nil {
		text = "(`" + strings.Join(a.Only, "`, `") + "`) " + text
	}
	if len(a.OneOf) > 0 {
		text += " One of `\"" + strings.Join(a.OneOf, "\"` `\"") + "\"`."
	}
	if !language.Supported(a.Since) {
		text += " **" + notYet(a.Since) + "**"
	}
	return text
}

func notYet(since string) string { return "Not supported yet: from " + since + " on." }

func valueType(a *language.Attribute) string {
	switch {
	case a.Type == "":
		return ""
	case a.Format != "":
		return "`" + a.Type + "` (" + a.Format + ")"
	}
	return "`" + a.Type + "`"
}

func byDefault(a *language.Attribute) string {
	switch {
	case a.Required:
		return "**required**"
	case a.Default != "":
		return "`" + a.Default + "`"
	}
	return ""
}

// kindOf returns an attribute's kind, and whether it may also read each of a for_each and params with an enum.
func kindOf(a *language.Attribute) string {
	if a.Each {
		return kindName(a.Kind) + ", each"
	}
	return kindName(a.Kind)
}

func kindName(k language.Kind) string {
	for _, entry := range kinds {
		if entry.kind == k {
			return entry.name
		}
	}
	return string(k)
}

// cell escapes text for a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
