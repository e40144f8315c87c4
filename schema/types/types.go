// Package types defines the types of the language: values (string, number, list(T), …), which are passed as JSON, and artifacts
// (file, model, …), which are passed by digest. It parses, prints and converts them.
//
// A type is a cty.Type. An artifact kind is a capsule type, so that it can be an element of list(model) and map(model) and is never
// mistaken for a value. The package neither infers the type of an expression (see compiler/infer) nor reads the bytes of an
// artifact (see runtime/step).
package types

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
)

// Artifact describes the artifact kind of a capsule type. A value of such a type encapsulates a *Handle.
type Artifact struct {
	Kind  string // one of Kinds, or "artifact"
	Media string // media type; set when Kind is "artifact"
}

// Handle is an artifact in an expression between steps: it can be passed on, and has no attributes. In the command of a step an
// artifact is an object with the attribute path instead.
type Handle struct {
	Content any // what the runtime keeps for it: a *record.Artifact
}

// Kinds are the artifact kinds, sorted.
var Kinds = []string{"bytes", "dataframe", "directory", "file", "html", "image", "json", "model", "ndarray", "text"}

var (
	capsulesMu sync.Mutex
	capsules   = map[Artifact]cty.Type{}
)

// Of returns the capsule type of an artifact kind. The same kind has the same type in the whole process.
func Of(a Artifact) cty.Type {
	capsulesMu.Lock()
	defer capsulesMu.Unlock()
	if t, ok := capsules[a]; ok {
		return t
	}
	t := cty.CapsuleWithOps(a.String(), reflect.TypeFor[Handle](), &cty.CapsuleOps{
		ExtensionData: func(key any) any {
			if key == (artifactKey{}) {
				return a
			}
			return nil
		},
	})
	capsules[a] = t
	return t
}

type artifactKey struct{}

// Kind returns the type of the artifact kind with a name: Kind("model").
func Kind(name string) cty.Type { return Of(Artifact{Kind: name}) }

// AsArtifact returns the artifact kind of t, and whether t is an artifact type.
func AsArtifact(t cty.Type) (Artifact, bool) {
	if t == cty.NilType || !t.IsCapsuleType() {
		return Artifact{}, false
	}
	a, ok := t.CapsuleExtensionData(artifactKey{}).(Artifact)
	return a, ok
}

// IsArtifact reports whether t itself is an artifact type. list(model) is not; see HasArtifact.
func IsArtifact(t cty.Type) bool { _, ok := AsArtifact(t); return ok }

// HasArtifact reports whether t is an artifact type or contains one at any depth.
func HasArtifact(t cty.Type) bool {
	switch {
	case IsArtifact(t):
		return true
	case t.IsCollectionType():
		return HasArtifact(t.ElementType())
	case t.IsObjectType():
		for _, at := range t.AttributeTypes() {
			if HasArtifact(at) {
				return true
			}
		}
	case t.IsTupleType():
		return slices.ContainsFunc(t.TupleElementTypes(), HasArtifact)
	}
	return false
}

func (a Artifact) String() string {
	if a.Kind == "artifact" {
		return "artifact(" + quoted(a.Media) + ")"
	}
	return a.Kind
}

// String returns t as the language writes it: list(object({a = number, b = optional(string)})). Attributes are sorted, so that equal
// types have equal texts. Parse reads the text.
func String(t cty.Type) string {
	switch {
	case t == cty.NilType || t == cty.DynamicPseudoType:
		return "any"
	case t == cty.String:
		return "string"
	case t == cty.Number:
		return "number"
	case t == cty.Bool:
		return "bool"
	case t.IsListType():
		return "list(" + String(t.ElementType()) + ")"
	case t.IsSetType():
		return "set(" + String(t.ElementType()) + ")"
	case t.IsMapType():
		return "map(" + String(t.ElementType()) + ")"
	case t.IsTupleType():
		var parts []string
		for _, e := range t.TupleElementTypes() {
			parts = append(parts, String(e))
		}
		return "tuple([" + strings.Join(parts, ", ") + "])"
	case t.IsObjectType():
		return objectString(t)
	}
	if a, ok := AsArtifact(t); ok {
		return a.String()
	}
	return t.FriendlyName()
}

// Phrase returns String with an article, for messages: "a number", "an ndarray".
func Phrase(t cty.Type) string {
	switch s := String(t); {
	case s == "any":
		return "any value"
	case strings.ContainsRune("aeio", rune(s[0])), s == "html", s == "ndarray":
		return "an " + s
	default:
		return "a " + s
	}
}

// Widen returns the type of a literal that has no declared type: a tuple whose elements have one type becomes a list, an attribute
// that is null becomes optional, and any other null becomes `any`.
func Widen(v cty.Value) cty.Type {
	v, _ = v.Unmark()
	t := v.Type()
	switch {
	case v.IsNull():
		return cty.DynamicPseudoType
	case !v.IsKnown():
		return t
	case t.IsTupleType():
		var elems []cty.Type
		same := true
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			elems = append(elems, Widen(e))
			same = same && elems[len(elems)-1].Equals(elems[0])
		}
		switch {
		case len(elems) == 0:
			return cty.List(cty.DynamicPseudoType)
		case same:
			return cty.List(elems[0])
		}
		return cty.Tuple(elems)
	case t.IsObjectType():
		attrs := make(map[string]cty.Type, len(t.AttributeTypes()))
		var optional []string
		for name, a := range v.AsValueMap() {
			if attrs[name] = Widen(a); a.IsNull() {
				attrs[name] = a.Type()
				optional = append(optional, name)
			}
		}
		return cty.ObjectWithOptionalAttrs(attrs, optional)
	}
	return t
}

func objectString(t cty.Type) string {
	names := make([]string, 0, len(t.AttributeTypes()))
	for name := range t.AttributeTypes() {
		names = append(names, name)
	}
	sort.Strings(names)
	var parts []string
	for _, name := range names {
		text := String(t.AttributeType(name))
		if t.AttributeOptional(name) {
			text = "optional(" + text + ")"
		}
		if !plainName(name) {
			name = quoted(name)
		}
		parts = append(parts, fmt.Sprintf("%s = %s", name, text))
	}
	return "object({" + strings.Join(parts, ", ") + "})"
}

func plainName(s string) bool {
	for i, r := range s {
		letter := r == '_' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || (r != '-' && (r < '0' || r > '9'))) {
			return false
		}
	}
	return s != ""
}
