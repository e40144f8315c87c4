package evaluate

import (
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Attributes reads attributes of blocks whose values must be known when compiling. Faults are reported.
type Attributes struct {
	constants *Constants
	values    *Values
	diags     *diag.List
}

// Get returns the value of a constant attribute, converted to the expected type. It returns false if the attribute is
// missing or null, or faulty and reported.
func (a *Attributes) Get(b *decode.Block, name string, want cty.Type) (cty.Value, bool) {
	e := b.Attr(name)
	if e == nil {
		return cty.NilVal, false
	}
	v, ok := a.constants.Written(e)
	if !ok {
		return cty.NilVal, false
	}
	if v.IsNull() && b.Def.Attribute(name).Omittable() {
		return cty.NilVal, false
	}
	if v, ok = converted(v, want, e, false, a.constants.scope); !ok {
		return cty.NilVal, false
	}
	if IsSensitive(v) {
		a.diags.Add(a.values.SensitiveFault(e))
		return cty.NilVal, false
	}
	return types.Computed(v), true
}

// String returns a constant string.
func (a *Attributes) String(b *decode.Block, name string) (string, bool) {
	v, ok := a.Get(b, name, cty.String)
	if !ok {
		return "", false
	}
	s := v.AsString()
	if d := b.Def.Attribute(name); d != nil && d.OneOf != nil {
		if slices.Contains(d.OneOf, s) {
			return s, true
		}
		a.diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "`%s` can't be %q", name, s).
			WithDetail("It is one of %s.", strings.Join(d.OneOf, ", ")).DidYouMean(s, d.OneOf))
		return "", false
	}
	return s, true
}

// Bool returns a constant bool; false if the attribute is missing.
func (a *Attributes) Bool(b *decode.Block, name string) (value, ok bool) {
	v, ok := a.Get(b, name, cty.Bool)
	return ok && v.True(), ok
}

// Int returns a constant whole number that is at least least.
func (a *Attributes) Int(b *decode.Block, name string, least int) (int, bool) {
	v, ok := a.Get(b, name, cty.Number)
	if !ok {
		return 0, false
	}
	return a.int(v, b.Attr(name).Range(), name, least)
}

func (a *Attributes) int(v cty.Value, at hcl.Range, name string, least int) (int, bool) {
	f := v.AsBigFloat()
	i, accuracy := f.Int64()
	switch {
	case accuracy == 0 && i > math.MaxInt32 || f.Cmp(big.NewFloat(math.MaxInt32)) > 0:
		a.diags.Add(diag.New("invalid-value", at, "`%s` can be at most %d, found %s", name, math.MaxInt32, f.Text('g', 10)))
		return 0, false
	case accuracy != 0 || i < int64(least):
		a.diags.Add(diag.New("invalid-value", at, "`%s` must be a whole number of at least %d, found %s", name, least, f.Text('g', 10)))
		return 0, false
	}
	return int(i), true
}

// Float returns a constant number that is at least least.
func (a *Attributes) Float(b *decode.Block, name string, least float64) (float64, bool) {
	v, ok := a.Get(b, name, cty.Number)
	if !ok {
		return 0, false
	}
	f, _ := v.AsBigFloat().Float64()
	if f < least || math.IsInf(f, 0) {
		a.diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "`%s` must be a number of at least %g, found %g", name, least, f))
		return 0, false
	}
	return f, true
}
