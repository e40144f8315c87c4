package lint

import (
	"maps"
	"slices"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// Level says how bad it is what a rule finds, or that nobody asks.
type Level string

// The levels, worst first.
const (
	Error   Level = "error"
	Warning Level = "warning"
	Note    Level = "note"
	Off     Level = "off"
)

// LevelNames are the levels as they are written, worst first.
var LevelNames = []string{string(Error), string(Warning), string(Note), string(Off)}

func (l Level) severity() diag.Severity { return diag.Severity(l) }

// Levels are the levels of codes that differ from the rules' own.
type Levels map[string]Level

// With gives l with what is in over put over it.
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

// of is the level of a code that has one.
func (l Levels) of(code string) Level {
	if level, said := l[code]; said {
		return level
	}
	if r := Lookup(code); r != nil {
		return r.Level
	}
	return Warning // the compiler's own
}

// apply gives a diagnostic of the compiler the level that is set for its code; false where that is off. Errors stay
// errors: nothing could be made of such a project.
func (l Levels) apply(d diag.Diagnostic) (diag.Diagnostic, bool) {
	level, said := l[d.Code]
	if !said || d.Severity == diag.Error {
		return d, true
	}
	d.Severity = level.severity()
	return d, level != Off
}

// Settings reads `lint` of the project's own block, and tells what is wrong in it.
func Settings(w *evaluate.Project) Levels {
	if w.Settings == nil {
		return nil
	}
	given := w.StringMap(w.Settings, "lint")
	out := Levels{}
	for _, code := range evaluate.Names(given) {
		e := w.Settings.Attr("lint")
		if _, known := Describe(code); !known {
			at := evaluate.KeyRange(w.Follow(e), code)
			d := diag.New("invalid-value", at, "there is no rule %q", code)
			if c, of := diag.Lookup(code); of && c.Severity == diag.Error {
				d = diag.New("invalid-value", at, "%q is an error of the compiler, and has no level", code)
			}
			w.Diags.Add(d.DidYouMean(code, Codes()))
			continue
		}
		level := given[code]
		if !slices.Contains(LevelNames, level) {
			at := evaluate.Part(w.Follow(e), code).Range()
			w.Diags.Add(UnknownLevel(diag.New("invalid-value", at, "there is no level %q", level), level))
			continue
		}
		out[code] = Level(level)
	}
	return out
}

// UnknownLevel adds to a diagnostic which levels there are, and which one was meant. Other linters have other words.
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

// truth is the value of a constant bool.
func truth(v cty.Value) (value, ok bool) {
	if v == cty.NilVal || v.IsNull() || !v.IsKnown() || v.Type() != cty.Bool {
		return false, false
	}
	return v.True(), true
}
