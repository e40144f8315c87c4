package types

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/ctymarks"
)

// Computed returns v without the forms that it carries: for what is computed from it. Other marks stay.
func Computed(v cty.Value) cty.Value {
	if v == cty.NilVal || v.Type().IsPrimitiveType() && !v.IsMarked() || !v.ContainsMarked() {
		return v
	}
	out, err := v.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
		if isForm(mark) {
			return ctymarks.WrangleDrop, nil
		}
		return nil, nil
	})
	if err != nil {
		return v
	}
	return out
}

// Apart returns v with the forms that it carries only, and its other marks and those of its parts.
func Apart(v cty.Value) (cty.Value, cty.ValueMarks) {
	if v == cty.NilVal || v.Type().IsPrimitiveType() && !v.IsMarked() || !v.ContainsMarked() {
		return v, nil
	}
	others := cty.ValueMarks{}
	out, err := v.WrangleMarksDeep(func(mark any, _ cty.Path) (ctymarks.WrangleAction, error) {
		if isForm(mark) {
			return nil, nil
		}
		others[mark] = struct{}{}
		return ctymarks.WrangleDrop, nil
	})
	if err != nil {
		return v.UnmarkDeep()
	}
	return out, others
}

// Passed returns v with the forms that were moved to it from its parts as one mark, so that marks don't add up.
func Passed(v cty.Value) cty.Value {
	if !v.IsMarked() {
		return v
	}
	bare, marks := v.Unmark()
	n := 0
	for m := range marks {
		if isForm(m) {
			n++
		}
	}
	if n < 2 {
		return v
	}
	_, all := unmark(v)
	for m := range marks {
		if isForm(m) {
			delete(marks, m)
		}
	}
	return bare.WithMarks(marks).Mark(all)
}

func isForm(mark any) bool {
	switch mark.(type) {
	case form, *forms, textless:
		return true
	}
	return false
}

// Unmark returns v without marks, with a function that gives one of its parts the forms that v carried: for callers that look at the
// elements of v.
func Unmark(v cty.Value) (cty.Value, func(cty.Value) cty.Value) {
	bare, own := unmark(v)
	return bare, func(part cty.Value) cty.Value {
		if own == nil {
			return part
		}
		return restrict(part, own)
	}
}

// restrict gives a value those of some forms that it has.
func restrict(v cty.Value, from *forms) cty.Value {
	if v.IsNull() || !v.IsKnown() || v.IsMarked() {
		return v
	}
	switch v.Type() {
	case cty.String:
		if text, ok := from.texts[v.AsString()]; ok && text != several {
			return v.Mark(form{text: text})
		}
		return v
	case cty.Number:
		if text, ok := numberOf(v.AsBigFloat(), []*forms{from}); ok {
			return v.Mark(form{number: true, text: text})
		}
		return v
	case cty.Bool:
		return v
	}
	return v.Mark(from)
}

// Spread returns v without the forms that it carries itself, and a function that gives them to its parts. The function is nil if
// there are none.
func Spread(v cty.Value) (cty.Value, func(part cty.Value) cty.Value) {
	_, own := unmark(v)
	if own == nil {
		return v, nil
	}
	return Bare(v), func(part cty.Value) cty.Value { return restrict(part, own) }
}

// Bare returns v without the forms that it carries itself. Its parts keep theirs.
func Bare(v cty.Value) cty.Value {
	if !v.IsMarked() {
		return v
	}
	bare, marks := v.Unmark()
	for m := range marks {
		if isForm(m) {
			delete(marks, m)
		}
	}
	return bare.WithMarks(marks)
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// Replaced returns a string that carries a text byte for byte, with the marks of v that are not forms.
func Replaced(v cty.Value, text string) cty.Value {
	out := cty.StringVal(text)
	if !ascii(text) {
		out = out.Mark(form{text: text}) // also if it is usual, so that it doesn't get the form of another
	}
	if v.IsMarked() {
		_, marks := Bare(v).Unmark()
		out = out.WithMarks(marks)
	}
	return out
}

// HasForms reports whether v or a part of it carries a form.
func HasForms(v cty.Value) bool {
	if v.Type().IsPrimitiveType() && !v.IsMarked() {
		return false
	}
	for _, part := range cty.DeepValues(v) {
		for m := range part.Marks() {
			if isForm(m) {
				return true
			}
		}
	}
	return false
}
