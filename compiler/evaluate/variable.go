package evaluate

import (
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// variables evaluates variables: which value each has, and whether its type and its validations accept it.
type variables struct {
	given      *Given
	constants  *Constants
	attributes *Attributes
	diags      *diag.List
}

// value returns the value of a variable, given or by default, converted to its declared type and checked by its
// validations.
func (r *variables) value(n *Name) cty.Value {
	b := n.block
	r.attributes.String(b, "description")
	n.Sensitive, _ = r.attributes.Bool(b, "sensitive")
	declared := cty.DynamicPseudoType
	hasType := false
	if e := b.Attr("type"); e != nil {
		hasType = true
		var ok bool
		if declared, n.defaults, ok = typeWith(e, r.constants.scope.Source, r.diags); !ok {
			return cty.NilVal
		}
		if types.HasArtifact(declared) {
			r.diags.Add(diag.New("invalid-type", e.Range(), "a variable can't be an artifact"))
			return cty.NilVal
		}
	}
	var byDefault cty.Value
	if e := b.Attr("default"); e != nil {
		v, ok := r.constants.Written(e)
		if !ok {
			return cty.NilVal
		}
		if byDefault, ok = convertedWith(v, declared, n.defaults, e, true, r.constants.scope); !ok {
			return cty.NilVal
		}
		if !hasType {
			declared = types.Widen(byDefault)
		}
	}
	v := byDefault
	if g, ok := r.given.values[b.Label]; ok {
		switch {
		case g.value != cty.NilVal && g.value.IsNull() && byDefault != cty.NilVal && byDefault.IsNull():
		default:
			if v, ok = r.given.value(g, declared, n); !ok {
				return cty.NilVal
			}
		}
	}
	if v == cty.NilVal && r.given.importer != nil {
		r.diags.Add(r.given.missing(n))
		return cty.NilVal
	}
	if v == cty.NilVal {
		d := diag.New("missing-variable", b.LabelRange, "the variable %q has no value", b.Label).
			WithSuggestion("set it with --var %s=…, PIPEC_VAR_%s, a line in pipec.auto.vars, or a default", b.Label, b.Label)
		if files := r.given.unread(); len(files) > 0 {
			d = d.WithDetail("Files that are not read here: %s. The read ones are %s.", strings.Join(files, ", "), strings.Join(r.given.read, ", "))
		}
		r.diags.Add(d)
		return cty.NilVal
	}
	if n.Sensitive {
		v = v.Mark(sensitive{})
	}
	n.constant = newConstant(v) // its validations read it
	n.state = done
	if !r.validate(n) {
		return cty.NilVal
	}
	n.state = visiting
	return v
}

func (r *variables) validate(n *Name) bool {
	used := n.Used
	defer func() { n.Used = used }()
	good := true
	for _, rule := range n.block.All("validation") {
		e := rule.Attr("condition")
		if e == nil {
			continue
		}
		v, ok := r.constants.Const(e)
		if !ok {
			good = false
			continue
		}
		v, _ = v.Unmark()
		v, ok = converted(v, cty.Bool, e, false, r.constants.scope)
		message, told := r.attributes.String(rule, "error_message")
		if !ok || !told {
			good = false
			continue
		}
		if v.True() {
			continue
		}
		good = false
		at := n.block.LabelRange
		if g, ok := r.given.values[n.block.Label]; ok && g.at.Filename != "" && !n.Sensitive {
			at = g.at
		}
		r.diags.Add(diag.New("validation", at, "the value of %s is not allowed", n.Address).
			WithDetail("%s", message).WithRelated(e.Range(), "the rule is here"))
	}
	return good
}
