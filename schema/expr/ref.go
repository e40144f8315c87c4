package expr

import "strings"

// The instances that a reference to a step with for_each may name, other than by their key.
const (
	All     = "*"        // step.x[*].y: of all instances, in their order
	EachKey = "each.key" // step.x[each.key].y: of the instance with the key of the one that reads
)

// Ref is a parsed reference to a step.
type Ref struct {
	Step string
	// Instance is All, EachKey, or a record.Key. "": the reference names no instance.
	Instance string
	// Attr is an output, or an attribute of the step's end: status, exit_code. "": the whole step, with all its instances.
	Attr string
}

// StepRef parses a reference to a step. It returns false if ref is not one.
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

// String returns the text of the reference.
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
