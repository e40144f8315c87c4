package evaluate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/diag"
)

// roots are the roots of all references, with what they are or where they can be used.
var roots = map[string]string{
	"var": "", "local": "",
	"param": "is known when a run starts", "step": "is known when the step has ended", "run": "is known when a run starts",
	"each": "can be used in a step with for_each", "input": "can be used in a step's own command and env",
	"output": "can be used in a step's own command and env", "image": "can be used where an image is expected",
	"code": "can be used where code is expected", "pipeline": "can be used where a pipeline is called",
	"library": "can be used where a pipeline is called",
	"recipe":  "can be used in the orchestrator, artifact_store and container_registry of a stack",
}

// Misplaced reports a reference whose root can't be used at its position. more are the roots that can be used there besides
// var and local, for example "param.NAME".
func (s *Scope) Misplaced(t hcl.Traversal, more []string) diag.Diagnostic {
	root, text := t.RootName(), Text(t)
	among := append([]string{"var.NAME", "local.NAME"}, more...)
	switch root {
	case "param", "step", "run", "each":
		if len(more) == 0 {
			return diag.New("not-constant", t.SourceRange(), "%s %s, but this value must be known when compiling", text, roots[root]).
				WithDetail("You can use var, local and functions here.")
		}
	}
	if what, known := roots[root]; known {
		return diag.New("out-of-place", t.SourceRange(), "%s can't be used here: %s.NAME %s", text, root, what).
			WithDetail("%s", Listed("What can be used here", among))
	}
	d := diag.New("unknown-reference", t.SourceRange(), "there is nothing named %s", root)
	meant := diag.Suggest(root, bareNames(among))
	if len(t) > 1 {
		d = d.WithDetail("%s", Listed("A reference starts with", among))
		if meant != "" {
			d = d.WithSuggestion("did you mean %q?", meant)
		}
		return d
	}
	if src := s.sources[t.SourceRange().Filename]; inTemplate(src, t.SourceRange()) {
		return diag.ForShell(d, src)
	}
	if meant != "" {
		return d.WithSuggestion("did you mean %s? Write a string in quotes: %q", among[slices.Index(bareNames(among), meant)], root)
	}
	return d.WithSuggestion("write a string in quotes: %q", root)
}

func bareNames(among []string) []string {
	out := make([]string, len(among))
	for i, name := range among {
		out[i], _, _ = strings.Cut(name, ".")
	}
	return out
}

// maxListed is how many names a message lists at most.
const maxListed = 12

// Listed returns a sentence with names.
func Listed(what string, names []string) string {
	switch {
	case len(names) == 0:
		return what + ": none."
	case len(names) > maxListed:
		return fmt.Sprintf("%s: %s and %d more.", what, strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return what + ": " + strings.Join(names, ", ") + "."
}

// inTemplate reports whether at is the whole content of a ${…}.
func inTemplate(src []byte, at hcl.Range) bool {
	return at.Start.Byte >= 2 && at.End.Byte < len(src) && string(src[at.Start.Byte-2:at.Start.Byte]) == "${" && src[at.End.Byte] == '}'
}

// Text returns a reference as it was written.
func Text(t hcl.Traversal) string {
	var b strings.Builder
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			b.WriteString(step.Name)
		case hcl.TraverseAttr:
			b.WriteString("." + step.Name)
		case hcl.TraverseIndex:
			b.WriteString("[…]")
		}
	}
	return b.String()
}

// undeclared reports that var.x or local.x is not declared. A faulty declaration has been reported already.
func (s *Scope) undeclared(t hcl.Traversal, root, name string) {
	names, kind := s.values.of(root), "variable"
	if root == "local" {
		kind = "local"
	}
	if _, declared := names[name]; declared {
		return
	}
	at := hcl.RangeBetween(t[0].SourceRange(), t[1].SourceRange())
	d := diag.New("unknown-reference", at, "there is no %s %q", kind, name)
	s.diags.Add(s.Near(d, root+".", name, func() []string { return Names(names) }))
}

// maxNear is for how many unknown names similar names are searched. More messages are of no use to a user, and each search
// takes time in proportion to the number of names.
const maxNear = 100

// Near adds to d, which reports an unknown name behind a prefix such as "step.", the known name that was probably meant, or
// all known names if none is similar.
func (s *Scope) Near(d diag.Diagnostic, prefix, name string, names func() []string) diag.Diagnostic {
	if s.near++; s.near > maxNear {
		return d
	}
	among := names()
	if hint := diag.NameMinus(prefix, name, among); hint != "" {
		return d.WithSuggestion("%s", hint)
	}
	if d = d.DidYouMean(name, among); d.Suggestion == "" {
		d = d.WithDetail("%s", Listed("There are", among))
	}
	return d
}
