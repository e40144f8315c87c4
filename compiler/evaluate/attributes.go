package evaluate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Type reads a type expression and reports its faults.
func Type(e hcl.Expression, diags *diag.List) (cty.Type, bool) {
	t, faults := types.Parse(e)
	for _, f := range faults {
		d := diag.New("invalid-type", f.Range, "%s", f.Summary)
		switch {
		case f.Meant != "":
			d = d.WithSuggestion("write %s", f.Meant).WithFix(f.Range, f.Meant)
		case f.Unknown != "":
			if d = d.DidYouMean(f.Unknown, types.Words()); d.Suggestion == "" {
				d = d.WithDetail("The types are %s.", strings.Join(types.Words(), ", "))
			}
		}
		diags.Add(d)
	}
	return t, len(faults) == 0
}

// convert converts v, the value of e, to the expected type, or reports why that isn't possible.
func (w *Project) convert(v cty.Value, want cty.Type, e hcl.Expression, nullable bool) (cty.Value, bool) {
	v, marks := v.UnmarkDeep()
	if v.IsNull() && nullable {
		return cty.NullVal(want.WithoutOptionalAttributesDeep()), true
	}
	v = Texts(e, v, want)
	out, err := types.Convert(v, want)
	if err != nil {
		w.Diags.Add(Mismatch(e, v.Type(), want, err))
		return cty.NilVal, false
	}
	return out.WithMarks(marks), true
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// trimSentence turns another library's error into a summary.
func trimSentence(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(s, ".")
}

// Get returns the value of a constant attribute, converted to the expected type. It returns false if the attribute is
// missing, or faulty and reported.
func (w *Project) Get(b *decode.Block, name string, want cty.Type) (cty.Value, bool) {
	e := b.Attr(name)
	if e == nil {
		return cty.NilVal, false
	}
	v, ok := w.Const(e)
	if !ok {
		return cty.NilVal, false
	}
	if v, ok = w.convert(v, want, e, false); !ok {
		return cty.NilVal, false
	}
	if IsSensitive(v) {
		w.Diags.Add(w.SensitiveFault(e))
		return cty.NilVal, false
	}
	return v, true
}

// String returns a constant string.
func (w *Project) String(b *decode.Block, name string) (string, bool) {
	v, ok := w.Get(b, name, cty.String)
	if !ok {
		return "", false
	}
	s := v.AsString()
	if a := b.Def.Attribute(name); a != nil && a.OneOf != nil {
		if slices.Contains(a.OneOf, s) {
			return s, true
		}
		w.Diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "`%s` can't be %q", name, s).
			WithDetail("It is one of %s.", strings.Join(a.OneOf, ", ")).DidYouMean(s, a.OneOf))
		return "", false
	}
	return s, true
}

// Bool returns a constant bool; false if the attribute is missing.
func (w *Project) Bool(b *decode.Block, name string) (value, ok bool) {
	v, ok := w.Get(b, name, cty.Bool)
	return ok && v.True(), ok
}

// Int returns a constant whole number that is at least least.
func (w *Project) Int(b *decode.Block, name string, least int) (int, bool) {
	v, ok := w.Get(b, name, cty.Number)
	if !ok {
		return 0, false
	}
	return w.int(v, b.Attr(name).Range(), name, least)
}

func (w *Project) int(v cty.Value, at hcl.Range, name string, least int) (int, bool) {
	f := v.AsBigFloat()
	i, accuracy := f.Int64()
	if accuracy != 0 || i < int64(least) || i > math.MaxInt32 {
		w.Diags.Add(diag.New("invalid-value", at, "`%s` must be a whole number of at least %d, found %s", name, least, f.Text('g', 10)))
		return 0, false
	}
	return int(i), true
}

// ExitCodes returns a constant list of whole numbers from 0 to 255.
func (w *Project) ExitCodes(b *decode.Block, name string) []int {
	v, ok := w.Get(b, name, cty.List(cty.Number))
	if !ok {
		return nil
	}
	var out []int
	for i, e := range v.AsValueSlice() {
		n, accuracy := e.AsBigFloat().Int64()
		if accuracy != 0 || n < 0 || n > 255 {
			w.Diags.Add(diag.New("invalid-value", Inner(b.Attr(name), fmt.Sprintf("[%d]", i)).Range(), "an exit code must be a whole number from 0 to 255, found %s", e.AsBigFloat().Text('g', 10)))
			continue
		}
		out = append(out, int(n))
	}
	return out
}

// Float returns a constant number that is at least least.
func (w *Project) Float(b *decode.Block, name string, least float64) (float64, bool) {
	v, ok := w.Get(b, name, cty.Number)
	if !ok {
		return 0, false
	}
	f, _ := v.AsBigFloat().Float64()
	if f < least || math.IsInf(f, 0) {
		w.Diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "`%s` must be a number of at least %g, found %g", name, least, f))
		return 0, false
	}
	return f, true
}

// Strings returns a constant list of strings.
func (w *Project) Strings(b *decode.Block, name string) []string {
	v, ok := w.Get(b, name, cty.List(cty.String))
	if !ok {
		return nil
	}
	var out []string
	for _, e := range v.AsValueSlice() {
		out = append(out, e.AsString())
	}
	return out
}

// StringMap returns a constant map of strings.
func (w *Project) StringMap(b *decode.Block, name string) map[string]string {
	v, ok := w.Get(b, name, cty.Map(cty.String))
	if !ok {
		return nil
	}
	out := map[string]string{}
	for k, e := range v.AsValueMap() {
		out[k] = e.AsString()
	}
	if len(out) == 0 {
		return nil
	}
	return out
}
