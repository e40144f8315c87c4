package types

import (
	"fmt"
	"sort"

	"github.com/zclconf/go-cty/cty"
)

// Mismatch reports why a type cannot be assigned to another one.
type Mismatch struct {
	Path string // where inside the type, as ".name" and "[0]"; "" for the type itself
	From cty.Type
	To   cty.Type
	Why  string // what it lacks or has too much; may be ""
	Hint string // what a user can do about it; may be ""
}

func (m *Mismatch) Error() string {
	where := ""
	if m.Path != "" {
		where = " at " + m.Path
	}
	text := fmt.Sprintf("%s doesn't fit %s%s", String(m.From), String(m.To), where)
	for _, more := range []string{m.Why, m.Hint} {
		if more != "" {
			text += ": " + more
		}
	}
	return text
}

// Assignable returns nil if a value of type from can be assigned to type to: the same type; a tuple to a list or set and an object
// to a map, element by element; an object to an object, except for optional attributes; any value to `any`; `any` to every type
// (checked at run time); every artifact but a directory to `file`. Strings, numbers and bools are never converted to each other.
func Assignable(from, to cty.Type) *Mismatch { return assignable(from, to, "") }

func assignable(from, to cty.Type, path string) *Mismatch {
	no := func(why string) *Mismatch { return &Mismatch{Path: path, From: from, To: to, Why: why} }
	try := func(hint string) *Mismatch { return &Mismatch{Path: path, From: from, To: to, Hint: hint} }
	switch {
	case from == cty.DynamicPseudoType:
		if HasArtifact(to) {
			return no("an artifact comes from a step's output, not from a value")
		}
		return nil
	case to == cty.DynamicPseudoType:
		if HasArtifact(from) {
			return try("`any` accepts values only; pass an artifact to an input of its own type, or of type file")
		}
		return nil
	case IsArtifact(from) || IsArtifact(to):
		return artifactTo(from, to, no)
	case from.IsPrimitiveType() && to.IsPrimitiveType():
		if from == to {
			return nil
		}
		return try(conversionHint(from, to))
	case to.IsListType() || to.IsSetType():
		return toSequence(from, to, path, no, try)
	case to.IsMapType():
		return toMap(from, to, path, no, try)
	case to.IsObjectType() && from.IsObjectType():
		return toObject(from, to, path, no)
	case to.IsTupleType() && from.IsTupleType():
		ft, tt := from.TupleElementTypes(), to.TupleElementTypes()
		if len(ft) != len(tt) {
			return no(fmt.Sprintf("expected %d elements, found %d", len(tt), len(ft)))
		}
		for i := range ft {
			if m := assignable(ft[i], tt[i], fmt.Sprintf("%s[%d]", path, i)); m != nil {
				return m
			}
		}
		return nil
	}
	return no("")
}

func artifactTo(from, to cty.Type, no func(string) *Mismatch) *Mismatch {
	a, fromArtifact := AsArtifact(from)
	b, toArtifact := AsArtifact(to)
	switch {
	case !fromArtifact:
		return no("an artifact comes from a step's output, not from a value")
	case !toArtifact:
		return no("an artifact is bytes by digest, not a value")
	case a == b:
		return nil
	case b.Kind == "file" && a.Kind != "directory":
		return nil
	case b.Kind == "file":
		return no("a directory is not a file")
	}
	return no("")
}

func toSequence(from, to cty.Type, path string, no, try func(string) *Mismatch) *Mismatch {
	switch {
	case from.IsListType() && to.IsListType(), from.IsSetType() && to.IsSetType():
		return assignable(from.ElementType(), to.ElementType(), path+"[*]")
	case from.IsTupleType():
		for i, t := range from.TupleElementTypes() {
			if m := assignable(t, to.ElementType(), fmt.Sprintf("%s[%d]", path, i)); m != nil {
				return m
			}
		}
		return nil
	case from.IsListType():
		return try("convert it with toset(…)")
	case from.IsSetType():
		return try("convert it with tolist(…)")
	case from.IsPrimitiveType() && Assignable(from, to.ElementType()) == nil:
		return try("a list is written in brackets: [ … ]")
	}
	return no("")
}

func toMap(from, to cty.Type, path string, no, try func(string) *Mismatch) *Mismatch {
	switch {
	case from.IsMapType():
		return assignable(from.ElementType(), to.ElementType(), path+"[*]")
	case from.IsObjectType():
		for _, name := range sortedAttrs(from) {
			if m := assignable(from.AttributeType(name), to.ElementType(), path+"."+name); m != nil {
				return m
			}
		}
		return nil
	case from.IsTupleType() || from.IsListType():
		return try("a map is written in braces: { NAME = … }")
	}
	return no("")
}

func toObject(from, to cty.Type, path string, no func(string) *Mismatch) *Mismatch {
	for _, name := range sortedAttrs(to) {
		if !from.HasAttribute(name) {
			if to.AttributeOptional(name) {
				continue
			}
			return no(fmt.Sprintf("the attribute %q is missing", name))
		}
		if from.AttributeOptional(name) && !to.AttributeOptional(name) {
			return no(fmt.Sprintf("the attribute %q is optional", name))
		}
		if m := assignable(from.AttributeType(name), to.AttributeType(name), path+"."+name); m != nil {
			return m
		}
	}
	for _, name := range sortedAttrs(from) {
		if !to.HasAttribute(name) {
			return no(fmt.Sprintf("it has an attribute %q, which %s does not have", name, String(to)))
		}
	}
	return nil
}

func sortedAttrs(t cty.Type) []string {
	names := make([]string, 0, len(t.AttributeTypes()))
	for name := range t.AttributeTypes() {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func conversionHint(from, to cty.Type) string {
	switch {
	case to == cty.String:
		return "convert it with tostring(…)"
	case to == cty.Number && from == cty.String:
		return "convert it with tonumber(…)"
	case to == cty.Bool && from == cty.String:
		return "convert it with tobool(…)"
	}
	return ""
}
