package types

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
)

// Fault is an error in a type expression, with its position.
type Fault struct {
	Range   hcl.Range
	Summary string
	Unknown string // the unknown word; "" for faults of another sort
	Meant   string // the type that was certainly meant; or ""
}

// words are the types that are written as one word.
var words = func() map[string]cty.Type {
	m := map[string]cty.Type{"string": cty.String, "number": cty.Number, "bool": cty.Bool, "any": cty.DynamicPseudoType}
	for _, k := range Kinds {
		m[k] = Kind(k)
	}
	return m
}()

// synonyms are what types are called elsewhere.
var synonyms = map[string]string{
	"int": "number", "integer": "number", "float": "number", "double": "number", "str": "string", "boolean": "bool",
	"dict": "map", "array": "list", "path": "file", "dir": "directory", "folder": "directory", "pickle": "model", "csv": "dataframe",
}

// Words are all words that a type may contain, for suggestions and completion.
func Words() []string {
	out := []string{"any", "artifact", "bool", "list", "map", "number", "object", "set", "string", "tuple"}
	return append(append(out, "optional"), Kinds...)
}

// Parse parses a type as the language writes it. A part with an error becomes `any`, and a Fault reports it.
func Parse(e hcl.Expression) (cty.Type, []Fault) {
	if kw := hcl.ExprAsKeyword(e); kw != "" {
		return parseWord(kw, e.Range())
	}
	call, diags := hcl.ExprCall(e)
	if diags.HasErrors() {
		if v, diags := e.Value(nil); !diags.HasErrors() && v.Type() == cty.String && !v.IsNull() {
			if t, err := ParseString(v.AsString()); err == nil {
				_, faults := fault(e.Range(), "a type is written without quotes")
				faults[0].Meant = String(t)
				return cty.DynamicPseudoType, faults
			}
		}
		return fault(e.Range(), "a type is a word such as number or model, or a call such as list(number)")
	}
	return parseCall(call)
}

func fault(r hcl.Range, format string, args ...any) (cty.Type, []Fault) {
	return cty.DynamicPseudoType, []Fault{{Range: r, Summary: fmt.Sprintf(format, args...)}}
}

func parseWord(kw string, r hcl.Range) (cty.Type, []Fault) {
	if t, ok := words[kw]; ok {
		return t, nil
	}
	switch kw {
	case "list", "set", "map":
		return fault(r, "%s needs the type of its elements: %s(string)", kw, kw)
	case "object":
		return fault(r, "object needs its attributes: object({ name = string })")
	case "tuple":
		return fault(r, "tuple needs its elements: tuple([string, number])")
	case "artifact":
		return fault(r, `artifact needs a media type: artifact("application/zip")`)
	}
	t, faults := fault(r, "%q is not a type", kw)
	if faults[0].Meant = synonyms[kw]; faults[0].Meant == "" {
		faults[0].Unknown = kw
	}
	return t, faults
}

func parseCall(call *hcl.StaticCall) (cty.Type, []Fault) {
	if call.Name == "optional" {
		return fault(call.NameRange, "optional(…) can only be used around the type of an object's attribute")
	}
	if _, known := words[call.Name]; known {
		return fault(call.ArgsRange, "%s takes no argument", call.Name)
	}
	switch call.Name {
	case "list", "set", "map", "object", "tuple", "artifact":
	default:
		return parseWord(call.Name, call.NameRange)
	}
	if len(call.Arguments) != 1 {
		return fault(call.ArgsRange, "%s takes one argument, found %d", call.Name, len(call.Arguments))
	}
	arg := call.Arguments[0]
	switch call.Name {
	case "object":
		return parseObject(arg)
	case "tuple":
		return parseTuple(arg)
	case "artifact":
		return parseArtifact(arg)
	}
	elem, faults := Parse(arg)
	switch call.Name {
	case "list":
		return cty.List(elem), faults
	case "map":
		return cty.Map(elem), faults
	}
	if HasArtifact(elem) {
		return fault(arg.Range(), "a set can't contain artifacts; use list(%s) or map(%s)", String(elem), String(elem))
	}
	return cty.Set(elem), faults
}

func parseArtifact(arg hcl.Expression) (cty.Type, []Fault) {
	v, diags := arg.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String || v.AsString() == "" {
		return fault(arg.Range(), `artifact takes a media type in quotes: artifact("application/zip")`)
	}
	return Of(Artifact{Kind: "artifact", Media: v.AsString()}), nil
}

func parseTuple(arg hcl.Expression) (cty.Type, []Fault) {
	items, diags := hcl.ExprList(arg)
	if diags.HasErrors() {
		return fault(arg.Range(), "tuple takes a list of types: tuple([string, number])")
	}
	var elems []cty.Type
	var faults []Fault
	for _, item := range items {
		t, f := Parse(item)
		elems, faults = append(elems, t), append(faults, f...)
	}
	return cty.Tuple(elems), faults
}

func parseObject(arg hcl.Expression) (cty.Type, []Fault) {
	items, diags := hcl.ExprMap(arg)
	if diags.HasErrors() {
		return fault(arg.Range(), "object takes its attributes in braces: object({ name = string })")
	}
	attrs := map[string]cty.Type{}
	var optional []string
	var faults []Fault
	for _, item := range items {
		name := hcl.ExprAsKeyword(item.Key)
		if name == "" {
			if v, diags := item.Key.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				name = v.AsString()
			}
		}
		if name == "" {
			_, f := fault(item.Key.Range(), "the name of an attribute must be a plain word")
			faults = append(faults, f...)
			continue
		}
		if _, twice := attrs[name]; twice {
			_, f := fault(item.Key.Range(), "the attribute %q appears twice", name)
			faults = append(faults, f...)
			continue
		}
		value := item.Value
		if call, diags := hcl.ExprCall(value); !diags.HasErrors() && call.Name == "optional" {
			if len(call.Arguments) != 1 {
				_, f := fault(call.ArgsRange, "optional takes one argument, the type")
				faults = append(faults, f...)
				attrs[name] = cty.DynamicPseudoType
				continue
			}
			optional = append(optional, name)
			value = call.Arguments[0]
		}
		t, f := Parse(value)
		attrs[name], faults = t, append(faults, f...)
	}
	return cty.ObjectWithOptionalAttrs(attrs, optional), faults
}
