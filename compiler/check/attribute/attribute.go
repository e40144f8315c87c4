// Package attribute reads single attributes in the ways that the rooms of package check share. Each function adds the
// diagnostics for an invalid attribute to those of the project and then returns a zero value. Rules that only one room
// needs belong to that room.
package attribute

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// Describe names a block in messages, for example `step "train"`.
func Describe(b *decode.Block) string { return fmt.Sprintf("%s %q", b.Def.Name, b.Label) }

// TypeRange returns the range of the attribute `type` of a block, or otherwise if the block has none.
func TypeRange(b *decode.Block, otherwise hcl.Range) hcl.Range {
	if e := b.Attr("type"); e != nil {
		return e.Range()
	}
	return otherwise
}

// Duration returns a constant duration, or byDefault if the attribute is missing or invalid.
func Duration(project *evaluate.Project, b *decode.Block, name string, byDefault program.Duration) program.Duration {
	if d, ok := project.Attributes.Duration(b, name); ok {
		return program.Duration(d)
	}
	return byDefault
}

// Declared returns the name of the declaration that an attribute refers to: "steps" for code = code.steps. The attribute is
// named as the kind of the declaration.
func Declared(project *evaluate.Project, b *decode.Block, name string, declared map[string]*decode.Block) string {
	e := b.Attr(name)
	if e == nil {
		return ""
	}
	label, ok := Reference(e, name)
	if !ok {
		d := diag.New("type-mismatch", e.Range(), "`%s` must be a reference: %s = %s.NAME", name, name, name)
		if names := evaluate.Names(declared); len(names) > 0 {
			d = d.WithDetail("%s", evaluate.Listed("Declared", names))
		}
		project.Diags.Add(d)
		return ""
	}
	if project.Use(declared, label) == nil {
		d := diag.New("unknown-reference", e.Range(), "no %s is named %q", name, label)
		project.Diags.Add(project.Scope.Near(d, name+".", label, func() []string { return evaluate.Names(declared) }))
		return ""
	}
	return label
}

// Reference returns NAME of the expression root.NAME.
func Reference(e hcl.Expression, root string) (string, bool) {
	t, hclDiags := hcl.AbsTraversalForExpr(e)
	if hclDiags.HasErrors() || len(t) != 2 || t.RootName() != root {
		return "", false
	}
	a, ok := t[1].(hcl.TraverseAttr)
	return a.Name, ok
}

// ObjectName returns the name of a Kubernetes object, or of a part of one. The name must satisfy rule, a function of
// k8s.io/apimachinery/pkg/util/validation.
func ObjectName(project *evaluate.Project, b *decode.Block, name string, rule func(string) []string) string {
	text, ok := project.Attributes.String(b, name)
	if ok && len(rule(text)) > 0 {
		d := diag.New("invalid-name", b.Attr(name).Range(), "%q is not a valid Kubernetes name of a %s", text, strings.ReplaceAll(name, "_", " "))
		if low := strings.ToLower(strings.ReplaceAll(text, "_", "-")); len(rule(low)) == 0 {
			d = d.WithSuggestion("did you mean %q?", low)
		}
		project.Diags.Add(d)
		return ""
	}
	return text
}

// SameForAll returns the evaluate.Each for attributes that are the same for all instances of a step: they cannot read each.
// It returns nil for a step without for_each.
func SameForAll(step *decode.Block) *evaluate.Each {
	if step.Attr("for_each") == nil {
		return nil
	}
	return &evaluate.Each{Why: func(at hcl.Range, text string) diag.Diagnostic {
		return diag.New("out-of-place", at, "%s can't be used here: this attribute is the same for all instances", text).
			WithDetail("Only inputs, command, env and when can differ between instances, and the attributes of the pod if for_each is known when compiling.")
	}}
}
