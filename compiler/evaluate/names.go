package evaluate

import (
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// maxChain bounds how many variables and locals may be read one through the other: evaluating them recurses.
const maxChain = 1000

// named gives the value of var.x or local.x. false: it is not declared, or faulty.
func (w *World) named(root, name string) (cty.Value, bool) {
	names := w.Variables
	if root == "local" {
		names = w.Locals
	}
	n, ok := names[name]
	if !ok {
		return cty.NilVal, false
	}
	n.Used = true
	w.visit(n)
	return n.value, n.value != cty.NilVal
}

// Named gives the value of "var.x" or "local.x".
func (w *World) Named(ref string) (cty.Value, bool) {
	root, name, _ := strings.Cut(ref, ".")
	return w.named(root, name)
}

// visit evaluates a name, once.
func (w *World) visit(n *Name) {
	switch n.state {
	case done:
		return
	case visiting:
		w.ring(n)
		return
	}
	if len(w.stack) >= maxChain {
		w.Diags.Add(diag.New("too-large", n.Range, "more than %d variables and locals are read one through the other", maxChain))
		n.state = done
		return
	}
	n.state = visiting
	w.stack = append(w.stack, n)
	var v cty.Value
	if n.block != nil {
		v = w.variable(n)
	} else if got, ok := w.Const(n.expr); ok {
		v = got
	}
	w.stack = w.stack[:len(w.stack)-1]
	if n.state == visiting { // a ring has made it faulty otherwise
		n.value = v
	}
	n.state = done
}

// ring tells a cycle of names, from the one that stands first in the source.
func (w *World) ring(n *Name) {
	from := 0
	for i, s := range w.stack {
		if s == n {
			from = i
		}
	}
	ring := w.stack[from:]
	first := 0
	for i, s := range ring {
		if before(s, ring[first]) {
			first = i
		}
	}
	text := ""
	d := diag.New("cycle", ring[first].Range, "")
	for i := range ring {
		s := ring[(first+i)%len(ring)]
		text += s.Address + " → "
		if i > 0 {
			d = d.WithRelated(s.Range, "through %s", s.Address)
		}
		s.state, s.value = done, cty.NilVal
	}
	d.Summary = fmt.Sprintf("values wait for each other in a ring: %s%s", text, ring[first].Address)
	w.Diags.Add(d)
}

func before(a, b *Name) bool {
	if a.Range.Filename != b.Range.Filename {
		return a.Range.Filename < b.Range.Filename
	}
	return a.Range.Start.Byte < b.Range.Start.Byte
}

// variable is the value of a variable: given, or by default; of its declared type; checked by its validations.
func (w *World) variable(n *Name) cty.Value {
	b := n.block
	n.Sensitive, _ = w.Bool(b, "sensitive")
	declared := cty.DynamicPseudoType
	hasType := false
	if e := b.Attr("type"); e != nil {
		hasType = true
		var ok bool
		if declared, ok = Type(e, w.Diags); !ok {
			return cty.NilVal
		}
		if types.HasArtifact(declared) {
			w.Diags.Add(diag.New("invalid-type", e.Range(), "a variable is a value, and can't be an artifact"))
			return cty.NilVal
		}
	}
	var byDefault cty.Value
	if e := b.Attr("default"); e != nil {
		v, ok := w.Const(e)
		if !ok {
			return cty.NilVal
		}
		if byDefault, ok = w.convert(v, declared, e.Range(), true); !ok {
			return cty.NilVal
		}
		if !hasType {
			declared = byDefault.Type()
		}
	}
	v := byDefault
	if g, ok := w.given[b.Label]; ok {
		if v, ok = w.readGiven(g, declared, n); !ok {
			return cty.NilVal
		}
	}
	if v == cty.NilVal {
		w.Diags.Add(diag.New("missing-variable", b.LabelRange, "the variable %q has no value", b.Label).
			WithSuggestion("give it one by --var %s=…, PIPEC_VAR_%s, a line in pipec.auto.vars, or a default", b.Label, b.Label))
		return cty.NilVal
	}
	if n.Sensitive {
		v = v.Mark(sensitive{})
	}
	n.value = v // its validations read it
	n.state = done
	if !w.validate(n) {
		return cty.NilVal
	}
	n.state = visiting
	return v
}

func (w *World) validate(n *Name) bool {
	used := n.Used
	defer func() { n.Used = used }()
	good := true
	for _, rule := range n.block.All("validation") {
		e := rule.Attr("condition")
		if e == nil {
			continue
		}
		v, ok := w.Const(e)
		if !ok {
			good = false
			continue
		}
		v, _ = v.Unmark()
		v, ok = w.convert(v, cty.Bool, e.Range(), false)
		if !ok {
			good = false
			continue
		}
		if v.True() {
			continue
		}
		good = false
		message, _ := w.String(rule, "error_message")
		at := n.block.LabelRange
		if g, ok := w.given[n.block.Label]; ok && g.at.Filename != "" && !n.Sensitive {
			at = g.at
		}
		w.Diags.Add(diag.New("validation", at, "the value of %s is not allowed", n.Address).
			WithDetail("%s", message).WithRelated(e.Range(), "the rule is here"))
	}
	return good
}
