// Package types holds the types of the language: values (string, number, list(T), …), which travel as JSON, and
// artifacts (file, model, …), which travel by digest. It says how a type is written, read, and assigned.
//
// A type is a cty.Type; an artifact kind is a capsule, so that it can stand inside list(model) and map(model) and can
// never be mistaken for a value. The package neither infers the type of an expression (compiler/infer does) nor looks
// into the bytes of an artifact (runtime/step does).
package types

import (
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"github.com/zclconf/go-cty/cty"
)

// Artifact says what a capsule type stands for. A value of such a type encapsulates a *Handle.
type Artifact struct {
	Kind  string // one of Kinds, or "artifact"
	Media string // media type; set when Kind is "artifact"
}

// Handle is an artifact inside an expression that joins steps: it can be passed on, and has nothing to read. (In a
// step's own command it is an object with the attribute path instead.)
type Handle struct {
	Content any // what the runtime keeps for it: a *record.Artifact
}

// Kinds are the artifact kinds, sorted.
var Kinds = []string{"bytes", "dataframe", "directory", "file", "html", "image", "json", "model", "ndarray", "text"}

var (
	capsulesMu sync.Mutex
	capsules   = map[Artifact]cty.Type{}
)

// Of returns the capsule type of an artifact kind; the same kind gives the same type in the whole process.
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

// Kind returns the type of the artifact kind named: Kind("model").
func Kind(name string) cty.Type { return Of(Artifact{Kind: name}) }

// AsArtifact says whether t is an artifact type, and which.
func AsArtifact(t cty.Type) (Artifact, bool) {
	if t == cty.NilType || !t.IsCapsuleType() {
		return Artifact{}, false
	}
	a, ok := t.CapsuleExtensionData(artifactKey{}).(Artifact)
	return a, ok
}

// IsArtifact says whether t is an artifact type itself; list(model) is not, see HasArtifact.
func IsArtifact(t cty.Type) bool { _, ok := AsArtifact(t); return ok }

// HasArtifact says whether t is an artifact type or holds one at any depth.
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
		return "artifact(" + strconv.Quote(a.Media) + ")"
	}
	return a.Kind
}

// String writes t as the language does: list(object({a = number, b = optional(string)})). Attributes are sorted, so
// equal types give equal text; Parse reads it back.
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

// Phrase is String with an article, for messages: "a number", "an ndarray".
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

// Widen is the type that a literal stands for where no type is declared: a tuple whose elements have one type is a list,
// an attribute that is null is optional, and another null is `any`.
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
			name = strconv.Quote(name)
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
