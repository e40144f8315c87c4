package expr

import "strings"

// The ways of a reference to name instances of a step with for_each.
const (
	All     = "*"        // step.x[*].y: of all instances, in their order
	EachKey = "each.key" // step.x[each.key].y: of the instance with the key of the one that reads
)

// Ref is a reference to a step, taken apart.
type Ref struct {
	Step string
	// Instance is All, EachKey, or a key as it is written: "k" in quotes, or a number. "": none is named.
	Instance string
	// Attr is an output, or how the step ended: status, exit_code. "": the whole step, with all its instances.
	Attr string
}

// StepRef takes a reference to a step apart; false: it is none.
func StepRef(ref string) (Ref, bool) {
	rest, ok := strings.CutPrefix(ref, "step.")
	if !ok {
		return Ref{}, false
	}
	end := strings.IndexAny(rest, ".[")
	if end < 0 {
		return Ref{Step: rest}, rest != ""
	}
	r := Ref{Step: rest[:end]}
	rest = rest[end:]
	if rest[0] == '[' {
		last := strings.LastIndexByte(rest, ']')
		if last < 0 {
			return Ref{}, false
		}
		r.Instance, rest = rest[1:last], rest[last+1:]
	}
	if rest == "" {
		return r, r.Step != "" && r.Instance != ""
	}
	r.Attr = rest[1:]
	return r, rest[0] == '.' && r.Step != "" && r.Attr != ""
}

// String puts a reference together.
func (r Ref) String() string {
	out := "step." + r.Step
	if r.Instance != "" {
		out += "[" + r.Instance + "]"
	}
	if r.Attr != "" {
		out += "." + r.Attr
	}
	return out
}
