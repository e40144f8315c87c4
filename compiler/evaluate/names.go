package evaluate

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// maxRing limits the recursion over names that read each other. Only a cycle makes it deep: all other names are evaluated
// after those that they read.
const maxRing = 1000

// named returns the value of var.x or local.x. It returns false if the name is not declared, or is faulty.
func (w *Project) named(root, name string) (cty.Value, bool) {
	names := w.Variables
	if root == "local" {
		names = w.Locals
	}
	n, ok := names[name]
	if !ok {
		return cty.NilVal, false
	}
	n.Used = true
	if n.state == untouched {
		w.visit(n)
	} else {
		w.evaluate(n)
	}
	return n.value, n.value != cty.NilVal
}

// Named returns the value of "var.x" or "local.x".
func (w *Project) Named(ref string) (cty.Value, bool) {
	root, name, _ := strings.Cut(ref, ".")
	return w.named(root, name)
}

// visit evaluates a name, once, after the names that it reads.
func (w *Project) visit(n *Name) {
	if n.state == untouched {
		for _, before := range w.order(n) {
			w.evaluate(before)
		}
	}
	w.evaluate(n)
}

// order lists the names that n reads, directly or indirectly; each follows those that it reads itself. Names in a cycle are
// in any order. It doesn't recurse, because a chain of names may be long.
func (w *Project) order(n *Name) []*Name {
	type frame struct {
		name  *Name
		reads []*Name
	}
	var out []*Name
	n.ordered = true
	frames := []frame{{n, w.dependencies(n)}}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if len(f.reads) == 0 {
			out = append(out, f.name)
			frames = frames[:len(frames)-1]
			continue
		}
		next := f.reads[0]
		f.reads = f.reads[1:]
		if next.state == untouched && !next.ordered {
			next.ordered = true
			frames = append(frames, frame{next, w.dependencies(next)})
		}
	}
	return out[:len(out)-1]
}

// dependencies returns the names in the expressions of a variable or a local.
func (w *Project) dependencies(n *Name) []*Name {
	if n.expr != nil {
		return w.reads(n.expr)
	}
	var out []*Name
	for _, e := range []hcl.Expression{n.block.Attr("default"), n.block.Attr("sensitive")} {
		out = append(out, w.reads(e)...)
	}
	for _, rule := range n.block.All("validation") {
		for _, e := range []hcl.Expression{rule.Attr("condition"), rule.Attr("error_message")} {
			out = append(out, w.reads(e)...)
		}
	}
	return out
}

// reads returns the variables and locals that an expression refers to.
func (w *Project) reads(e hcl.Expression) []*Name {
	if e == nil {
		return nil
	}
	var out []*Name
	for _, t := range e.Variables() {
		name, ok := second(t)
		if !ok {
			continue
		}
		switch t.RootName() {
		case "var":
			if n := w.Variables[name]; n != nil {
				out = append(out, n)
			}
		case "local":
			if n := w.Locals[name]; n != nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// Varies reports whether the value of an expression depends on a variable, directly or through locals. It may differ then
// if other values are given.
func (w *Project) Varies(e hcl.Expression) bool {
	seen := map[*Name]bool{}
	for todo := w.reads(e); len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch {
		case n.block != nil:
			return true
		case !seen[n]:
			seen[n] = true
			todo = append(todo, w.reads(n.expr)...)
		}
	}
	return false
}

func (w *Project) evaluate(n *Name) {
	switch n.state {
	case done:
		return
	case visiting:
		w.ring(n)
		return
	}
	if len(w.stack) >= maxRing {
		w.Diags.Add(diag.New("too-large", n.Range, "a cycle of more than %d variables and locals that read each other", maxRing))
		n.state = done
		return
	}
	n.state = visiting
	w.stack = append(w.stack, n)
	defer w.For(nil)() // a name has the same value for every instance
	var v cty.Value
	if n.block != nil {
		v = w.variable(n)
	} else if got, ok := w.Const(n.expr); ok {
		v = got
	}
	w.stack = w.stack[:len(w.stack)-1]
	if n.state == visiting { // in a cycle, it may have become faulty already
		n.value = v
	}
	n.state = done
}

// ring reports a cycle of names, starting at the one that comes first in the source.
func (w *Project) ring(n *Name) {
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
	d.Summary = fmt.Sprintf("values depend on each other in a cycle: %s%s", text, ring[first].Address)
	w.Diags.Add(d)
}

func before(a, b *Name) bool { return diag.Before(a.Range, b.Range) }

// variable returns the value of a variable, given or by default, converted to its declared type and checked by its
// validations.
func (w *Project) variable(n *Name) cty.Value {
	b := n.block
	w.String(b, "description")
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
			w.Diags.Add(diag.New("invalid-type", e.Range(), "a variable can't be an artifact"))
			return cty.NilVal
		}
	}
	var byDefault cty.Value
	if e := b.Attr("default"); e != nil {
		v, ok := w.Const(e)
		if !ok {
			return cty.NilVal
		}
		if byDefault, ok = w.convert(v, declared, e, true); !ok {
			return cty.NilVal
		}
		if !hasType {
			declared = types.Widen(byDefault)
		}
	}
	v := byDefault
	if g, ok := w.given[b.Label]; ok {
		switch {
		case g.value != cty.NilVal && g.value.IsNull() && byDefault != cty.NilVal && byDefault.IsNull():
		default:
			if v, ok = w.valueGiven(g, declared, n); !ok {
				return cty.NilVal
			}
		}
	}
	if v == cty.NilVal && w.importer != nil {
		w.Diags.Add(w.notImported(n))
		return cty.NilVal
	}
	if v == cty.NilVal {
		w.Diags.Add(diag.New("missing-variable", b.LabelRange, "the variable %q has no value", b.Label).
			WithSuggestion("set it with --var %s=…, PIPEC_VAR_%s, a line in pipec.auto.vars, or a default", b.Label, b.Label))
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

func (w *Project) validate(n *Name) bool {
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
		v, ok = w.convert(v, cty.Bool, e, false)
		message, told := w.String(rule, "error_message")
		if !ok || !told {
			good = false
			continue
		}
		if v.True() {
			continue
		}
		good = false
		at := n.block.LabelRange
		if g, ok := w.given[n.block.Label]; ok && g.at.Filename != "" && !n.Sensitive {
			at = g.at
		}
		w.Diags.Add(diag.New("validation", at, "the value of %s is not allowed", n.Address).
			WithDetail("%s", message).WithRelated(e.Range(), "the rule is here"))
	}
	return good
}
