package lsp

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"pipec.dev/pipec/compiler/lsp/names"
	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/schema/language"
)

// maxHops limits how far the type of a value is followed through references, which may form a cycle.
const maxHops = 16

// typeOf returns the declared type of a symbol, as the language writes it, or the type of its literal or reference;
// otherwise "".
func (p *project) typeOf(s *names.Symbol) string { return p.typeAfter(s, maxHops) }

func (p *project) typeAfter(s *names.Symbol, hops int) string {
	if hops == 0 {
		return ""
	}
	if s.Attr != nil {
		return p.typeOfValue(s.File, s.Attr, hops)
	}
	if a := s.Block.Attr("type"); a != nil {
		return value(s.File, a)
	}
	for _, name := range []string{"value", "default"} {
		if a := s.Block.Attr(name); a != nil {
			return p.typeOfValue(s.File, a, hops)
		}
	}
	return ""
}

// typeOfValue returns the type of a literal, or of what a lone reference names.
func (p *project) typeOfValue(f *names.File, a *outline.Attr, hops int) string {
	text := value(f, a)
	if refs := f.RefsIn(a.Value); len(refs) == 1 {
		r := refs[0]
		last := len(r.Parts) - 1
		if text != r.String(last) {
			return ""
		}
		if t, ok := property(r, last); ok {
			return t
		}
		if s := p.index.Resolve(r, last); s != nil && (last == 1) == (s.Kind != names.Output && s.Kind != names.Result) {
			return p.typeAfter(s, hops-1)
		}
		if text != "true" && text != "false" {
			return ""
		}
	}
	switch {
	case text == "true" || text == "false":
		return "bool"
	case strings.HasPrefix(text, `"`) && strings.Count(text, `"`) == 2 && strings.HasSuffix(text, `"`) && !strings.HasPrefix(text, `"${`):
		return "string"
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil && text[0] < 'A' {
		return "number"
	}
	return ""
}

// value returns the text of an attribute's value.
func value(f *names.File, a *outline.Attr) string { return f.Whole(a) }

// properties are the types of what is known of a step besides its outputs, of a run, and of an attempt.
var properties = map[string][2]string{
	"step.status":      {"string", "How the step ended: `succeeded`, `failed`, `skipped`, `cancelled` or `timed_out`."},
	"step.exit_code":   {"number", "The exit code of the step's process; null without a process."},
	"step.reason":      {"string", "Why the step ended as it did, in a word."},
	"step.message":     {"string", "Why the step ended as it did, in a sentence."},
	"run.name":         {"string", "The name of the run."},
	"run.scheduled_at": {"string", "The time for which a schedule started the run, such as `2026-01-31T06:00:00Z`. For a run that a person starts, the time of its start."},
	"run.status":       {"string", "How the run ended: `succeeded`, `failed`, `cancelled` or `timed_out`. It is known in `finally`."},
	"each.key":         {"", "The key of this instance's element; for a list, its number."},
	"each.value":       {"", "The element of this instance."},
	"attempt":          {"number", "The number of the attempt that has ended, from 1."},
	"exit_code":        {"number", "The exit code of the attempt that has ended."},
	"reason":           {"string", "Why the attempt ended, in a word."},
}

// property returns the type of a part of a reference that names no declaration; false for other parts.
func property(r *outline.Ref, part int) (typ string, ok bool) {
	name := propertyName(r, part)
	if _, isOutput := strings.CutPrefix(name, "recipe."); isOutput {
		return "string", outputDoc(name) != ""
	}
	p, ok := properties[name]
	return p[0], ok
}

func propertyName(r *outline.Ref, part int) string {
	switch root := r.Parts[0].Name; {
	case root == "step" && part == 2:
		return "step." + r.Parts[2].Name
	case part == 0 && (root == "attempt" || root == "exit_code" || root == "reason"):
		return root
	case part == 1 && (root == "run" || root == "each" || root == "recipe"):
		return root + "." + r.Parts[1].Name
	}
	return ""
}

// described returns a declaration for people, in Markdown.
func (p *project) described(s *names.Symbol) string {
	var b strings.Builder
	head := fmt.Sprintf("%s %q", s.Block.Type, s.Name)
	if s.Attr != nil {
		head = "local." + s.Name
	}
	if t := p.typeOf(s); t != "" {
		head += ": " + t
	}
	fmt.Fprintf(&b, "```hcl\n%s\n```\n", head)
	if s.Attr == nil {
		if a := s.Block.Attr("description"); a != nil {
			fmt.Fprintf(&b, "\n%s\n", strings.Trim(value(s.File, a), `"`))
		}
		if a := s.Block.Attr("default"); a != nil {
			fmt.Fprintf(&b, "\nDefault: `%s`\n", short(value(s.File, a)))
		}
		if s.Kind == names.Step {
			b.WriteString(p.outputs(s))
		}
	} else {
		fmt.Fprintf(&b, "\n`%s`\n", short(value(s.File, s.Attr)))
	}
	fmt.Fprintf(&b, "\nDeclared in %s, line %d.", filepath.Base(s.File.Path), p.sources[s.File.Path].text.position(s.At.Start).Line+1)
	return b.String()
}

func (p *project) outputs(step *names.Symbol) string {
	var list []string
	for _, o := range p.index.Outputs(step) {
		text := "`" + o.Name + "`"
		if t := p.typeOf(o); t != "" {
			text += " " + t
		}
		list = append(list, text)
	}
	if list == nil {
		return ""
	}
	return "\nOutputs: " + strings.Join(list, ", ") + "\n"
}

// blockDoc returns the documentation of a block, in Markdown.
func blockDoc(b *language.Block) string {
	head := b.Name
	switch {
	case b.Labels != nil:
		head += ` "` + strings.Join(b.Labels, `" | "`) + `"`
	case b.Label != "":
		head += fmt.Sprintf(" %q", b.Label)
	}
	text := "```hcl\n" + head + " { … }\n```\n\n" + b.Doc
	if b.Single {
		text += "\n\nAt most one is allowed here."
	}
	return text + notYet(b.Since)
}

// kinds describe what an attribute's expression may refer to.
var kinds = map[language.Kind]string{
	language.Const:   "Known when compiling: it may refer to `var` and `local`.",
	language.Runtime: "It may refer to `var`, `local`, `param`, `step` and `run`.",
	language.Own:     "It may refer to `var`, `local`, `param`, `step`, `run`, and the step's own `input` and `output`.",
	language.Retry:   "It may refer to `var`, `local`, `input`, `attempt`, `exit_code` and `reason`.",
}

// attributeDoc returns the documentation of an attribute, in Markdown.
func attributeDoc(a *language.Attribute) string {
	text := "```hcl\n" + a.Name + " = " + attributeType(a) + "\n```\n\n" + a.Doc
	if len(a.OneOf) > 0 {
		text += "\n\nOne of `\"" + strings.Join(a.OneOf, "\"`, `\"") + "\"`."
	}
	switch {
	case a.Required:
		text += "\n\nRequired."
	case a.Default != "":
		text += "\n\nDefault: `" + a.Default + "`."
	}
	if doc := kinds[a.Kind]; doc != "" {
		text += "\n\n" + doc
	}
	if a.Each {
		text += "\n\nIn a step whose `for_each` is known when compiling, it may refer to `each`. It may refer to a `param` that has an `enum` or is a bool."
	}
	return text + notYet(a.Since)
}

// attributeType returns the type of an attribute's value, for people.
func attributeType(a *language.Attribute) string {
	switch {
	case a.Kind == language.Type:
		return "a type"
	case a.Kind == language.Types:
		return "{ NAME = TYPE }, or [\"NAME\"]"
	case a.Kind == language.Refs:
		return "[step.NAME, …]"
	case a.Kind == language.Ref && a.Type != "":
		return a.Name + ".NAME, or a " + a.Type
	case a.Kind == language.Ref:
		return a.Name + ".NAME"
	case a.Format != "" && a.Format != "path":
		return a.Type + " (" + a.Format + ")"
	}
	return a.Type
}

func notYet(since string) string {
	if language.Supported(since) {
		return ""
	}
	return "\n\n**Not supported yet: from " + since + " on.**"
}
