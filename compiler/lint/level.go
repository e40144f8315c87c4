package lint

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// Level is how severe a rule's findings are, or that the rule is off.
type Level string

// The levels, most severe first.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
	Off     Level = "off"
)

// LevelNames are the levels as they are written, most severe first.
var LevelNames = []string{string(Error), string(Warning), string(Note), string(Off)}

func (l Level) severity() diag.Severity { return diag.Severity(l) }

// Levels are the levels that differ from the rules' own, by code.
type Levels map[string]Level

// With returns l with the levels of over taking precedence.
func (l Levels) With(over Levels) Levels {
	if len(over) == 0 {
		return l
	}
	out := maps.Clone(l)
	if out == nil {
		out = Levels{}
	}
	maps.Copy(out, over)
	return out
}

// of returns the level of a code that has one.
func (l Levels) of(code string) Level {
	if level, said := l[code]; said {
		return level
	}
	if r := Lookup(code); r != nil {
		return r.Level
	}
	return Warning // the compiler's own
}

// apply sets the level of a compiler's diagnostic; false if its code is off. Errors stay errors, because a project with one
// can't be compiled.
func (l Levels) apply(d diag.Diagnostic) (diag.Diagnostic, bool) {
	level, said := l[d.Code]
	if !said || d.Severity == diag.Error {
		return d, true
	}
	d.Severity = level.severity()
	return d, level != Off
}

// Settings reads `lint` of the project's own block, and reports its faults.
func Settings(w *evaluate.Project) Levels {
	if w.Settings == nil {
		return nil
	}
	given := w.Attributes.StringMap(w.Settings, "lint")
	out := Levels{}
	for _, code := range evaluate.Names(given) {
		e := w.Settings.Attr("lint")
		if _, known := Describe(code); !known {
			at := evaluate.KeyRange(w.Values.Follow(e), code)
			d := diag.New("invalid-value", at, "there is no rule %q", code)
			if c, of := diag.Lookup(code); of && c.Severity == diag.Error {
				d = diag.New("invalid-value", at, "%q is an error of the compiler, which has no level", code)
			}
			w.Diags.Add(d.DidYouMean(code, Codes()))
			continue
		}
		level := given[code]
		if !slices.Contains(LevelNames, level) {
			at := evaluate.Part(w.Values.Follow(e), code).Range()
			w.Diags.Add(UnknownLevel(diag.New("invalid-value", at, "there is no level %q", level), level))
			continue
		}
		out[code] = Level(level)
	}
	return out
}

// UnknownLevel adds the existing levels to a diagnostic, and the one that was probably meant. Other linters have other
// words for them.
func UnknownLevel(d diag.Diagnostic, level string) diag.Diagnostic {
	d = d.WithDetail("The levels are error, warning, note and off.").DidYouMean(level, LevelNames)
	switch level {
	case "info", "notice", "hint", "information":
		d = d.WithSuggestion("did you mean %q?", Note)
	case "none", "disable", "disabled", "false", "ignore":
		d = d.WithSuggestion("did you mean %q?", Off)
	}
	return d
}

// truth returns the value of a constant bool.
func truth(v cty.Value) (value, ok bool) {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || v.Type() != cty.Bool {
		return false, false
	}
	return v.True(), true
}
