package model

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// Value is a checked expression. It is a constant if Const is set, otherwise Node is evaluated at run time.
type Value struct {
	Const   cty.Value            // cty.NilVal: the value is known only at run time
	Written cty.Value            // Const, and its numbers carry the text that they have in the sources, for the program
	Node    hclsyntax.Expression // of a run-time value
	Type    cty.Type             // of the expression itself, before it is converted to the type of what it is assigned to
	Uses    []Use                // the references of a run-time value
}

// Constant returns the value of a constant whose numbers carry their text; see types.FromJSON.
func Constant(v cty.Value) *Value {
	plain := types.Computed(v)
	return &Value{Const: plain, Written: v, Type: plain.Type()}
}

// Null reports whether the value is known to be null.
func (v *Value) Null() bool { return v.Const != cty.NilVal && v.Const.IsNull() }

// Runtime reports whether the value depends on anything but variables and locals.
func (v *Value) Runtime() bool {
	for _, u := range v.Uses {
		if !u.Const {
			return true
		}
	}
	return false
}

// Use is one reference in an expression.
type Use struct {
	Ref         string       // step.a.x, step.a[*].x, param.p, run.name, each.key, input.x, output.y, var.v, local.l, attempt
	Step        string       // the step that is referred to; "": the reference is to something else
	Instance    string       // of Step, as in expr.Ref
	Output      string       // of Step; "": its status, or all its outputs
	Status      bool         // the reference is to how Step ended, not to an output
	Const       bool         // the reference is to a variable or a local
	Value       cty.Value    // of a variable or a local
	LastSuccess *LastSuccess // the reference is a call of last_success
	Soft        bool         // a missing value reads as null
	At          hcl.Range
}

// CanLack reports whether the value that is referred to can be missing at run time: a step may be skipped, and there may be
// no earlier run.
func (u *Use) CanLack() bool { return u.Step != "" && !u.Status || u.LastSuccess != nil }

// LastSuccess is an output of an earlier run.
type LastSuccess struct {
	Pipeline, Output string
	Type             cty.Type
}
