package evaluate

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Type reads a type expression; faults are told.
func Type(e hcl.Expression, diags *diag.List) (cty.Type, bool) {
	t, faults := types.Parse(e)
	for _, f := range faults {
		d := diag.New("invalid-type", f.Range, "%s", f.Summary)
		if f.Unknown != "" {
			d = d.DidYouMean(f.Unknown, types.Words())
		}
		diags.Add(d)
	}
	return t, len(faults) == 0
}

// convert gives v the type that is wanted, or tells why it can't have it.
func (w *World) convert(v cty.Value, want cty.Type, at hcl.Range, nullable bool) (cty.Value, bool) {
	v, marks := v.UnmarkDeep()
	if v.IsNull() {
		if nullable {
			return cty.NullVal(want), true
		}
		w.Diags.Add(diag.New("null-value", at, "a %s is wanted, and this is null", types.String(want)))
		return cty.NilVal, false
	}
	out, err := types.Convert(v, want)
	if err != nil {
		w.Diags.Add(Mismatch(at, v.Type(), want, err))
		return cty.NilVal, false
	}
	return out.WithMarks(marks), true
}

// Mismatch tells that something of one type stands where another is wanted. err says why.
func Mismatch(at hcl.Range, from, want cty.Type, err error) diag.Diagnostic {
	d := diag.New("type-mismatch", at, "%s is wanted here, and this is %s", types.String(want), types.String(from))
	m, ok := err.(*types.Mismatch)
	switch {
	case !ok:
		return d.WithDetail("%s.", upperFirst(err.Error()))
	case m.Path != "":
		d = d.WithDetail("At %s: %s.", m.Path, (&types.Mismatch{From: m.From, To: m.To, Why: m.Why}).Error())
	case m.Why != "":
		d = d.WithSuggestion("%s", m.Why)
	}
	return d
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// trimSentence makes a summary of what another library said.
func trimSentence(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSuffix(s, ".")
}

// Get is the value of a constant attribute, of the type that is wanted. false: it is not there, or faulty and told.
func (w *World) Get(b *decode.Block, name string, want cty.Type) (cty.Value, bool) {
	e := b.Attr(name)
	if e == nil {
		return cty.NilVal, false
	}
	v, ok := w.Const(e)
	if !ok {
		return cty.NilVal, false
	}
	if v, ok = w.convert(v, want, e.Range(), false); !ok {
		return cty.NilVal, false
	}
	if IsSensitive(v) {
		w.Diags.Add(w.SensitiveFault(e))
		return cty.NilVal, false
	}
	return v, true
}

// SensitiveFault tells that an expression would write a sensitive variable.
func (w *World) SensitiveFault(e hcl.Expression) diag.Diagnostic {
	d := diag.New("sensitive", e.Range(), "a sensitive variable would be written into the program").
		WithDetail("Programs, manifests and records are read by others.").
		WithSuggestion("give a step its secret by a secret_env block")
	for _, t := range e.Variables() {
		name, ok := second(t)
		if n := w.Variables[name]; ok && t.RootName() == "var" && n != nil && n.Sensitive {
			d = d.WithRelated(n.Range, "%s is declared sensitive", n.Address)
		}
	}
	return d
}

// String is a constant string.
func (w *World) String(b *decode.Block, name string) (string, bool) {
	v, ok := w.Get(b, name, cty.String)
	if !ok {
		return "", false
	}
	s := v.AsString()
	if a := b.Def.Attribute(name); a != nil && a.OneOf != nil {
		for _, one := range a.OneOf {
			if one == s {
				return s, true
			}
		}
		w.Diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "`%s` can't be %q", name, s).
			WithDetail("It is one of %s.", strings.Join(a.OneOf, ", ")).DidYouMean(s, a.OneOf))
		return "", false
	}
	return s, true
}

// Bool is a constant bool; false where it is not there.
func (w *World) Bool(b *decode.Block, name string) (value, ok bool) {
	v, ok := w.Get(b, name, cty.Bool)
	return ok && v.True(), ok
}

// Int is a constant whole number from least up.
func (w *World) Int(b *decode.Block, name string, least int) (int, bool) {
	v, ok := w.Get(b, name, cty.Number)
	if !ok {
		return 0, false
	}
	return w.int(v, b.Attr(name).Range(), name, least)
}

func (w *World) int(v cty.Value, at hcl.Range, name string, least int) (int, bool) {
	f := v.AsBigFloat()
	i, accuracy := f.Int64()
	if accuracy != 0 || i < int64(least) || i > math.MaxInt32 {
		w.Diags.Add(diag.New("invalid-value", at, "`%s` is a whole number from %d on, and this is %s", name, least, f.Text('g', 10)))
		return 0, false
	}
	return int(i), true
}

// Ints is a constant list of whole numbers from 0 to 255: exit codes.
func (w *World) Ints(b *decode.Block, name string) []int {
	v, ok := w.Get(b, name, cty.List(cty.Number))
	if !ok {
		return nil
	}
	var out []int
	for _, e := range v.AsValueSlice() {
		if i, ok := w.int(e, b.Attr(name).Range(), name, 0); ok {
			out = append(out, i)
		}
	}
	return out
}

// Float is a constant number from least up.
func (w *World) Float(b *decode.Block, name string, least float64) (float64, bool) {
	v, ok := w.Get(b, name, cty.Number)
	if !ok {
		return 0, false
	}
	f, _ := v.AsBigFloat().Float64()
	if f < least || math.IsInf(f, 0) {
		w.Diags.Add(diag.New("invalid-value", b.Attr(name).Range(), "`%s` is a number from %g on, and this is %g", name, least, f))
		return 0, false
	}
	return f, true
}

// Duration is a constant duration, 0 or more.
func (w *World) Duration(b *decode.Block, name string) (time.Duration, bool) {
	s, ok := w.String(b, name)
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	at := b.Attr(name).Range()
	switch {
	case err != nil:
		w.Diags.Add(diag.New("invalid-duration", at, "%q is no duration", s).
			WithDetail(`A duration is a number and a unit: "90s", "15m", "1h30m".`))
	case d < 0:
		w.Diags.Add(diag.New("invalid-duration", at, "a duration can't be negative"))
	default:
		return d, true
	}
	return 0, false
}

// Strings is a constant list of strings.
func (w *World) Strings(b *decode.Block, name string) []string {
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

// StringMap is a constant map of strings.
func (w *World) StringMap(b *decode.Block, name string) map[string]string {
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

// describe names a block for a message: step "trainer".
func describe(b *decode.Block) string {
	if b.Label == "" {
		return b.Def.Name
	}
	return fmt.Sprintf("%s %q", b.Def.Name, b.Label)
}
