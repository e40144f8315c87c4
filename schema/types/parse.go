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

// Parse parses a type as the language writes it. A part with an error becomes `any`, and a Fault reports it. Attributes can't have
// defaults.
func Parse(e hcl.Expression) (cty.Type, []Fault) {
	p := parser{}
	t, _ := p.typ(e)
	return t, p.faults
}

// ParseWith is Parse for a type whose optional attributes may have defaults. value evaluates them.
func ParseWith(e hcl.Expression, value func(hcl.Expression) (cty.Value, error)) (cty.Type, *Defaults, []Fault) {
	p := parser{value: value}
	t, d := p.typ(e)
	return t, d, p.faults
}

type parser struct {
	value  func(hcl.Expression) (cty.Value, error) // nil: defaults are not allowed
	faults []Fault
}

func (p *parser) typ(e hcl.Expression) (cty.Type, *Defaults) {
	if kw := hcl.ExprAsKeyword(e); kw != "" {
		return p.word(kw, e.Range()), nil
	}
	call, diags := hcl.ExprCall(e)
	if diags.HasErrors() {
		if v, diags := e.Value(nil); !diags.HasErrors() && v.Type() == cty.String && !v.IsNull() {
			if t, err := ParseString(v.AsString()); err == nil {
				p.fault(e.Range(), "a type is written without quotes")
				p.last().Meant = String(t)
				return cty.DynamicPseudoType, nil
			}
		}
		return p.fault(e.Range(), "a type is a word such as number or model, or a call such as list(number)"), nil
	}
	return p.call(call)
}

// fault adds a fault, and returns the type of the faulty part.
func (p *parser) fault(r hcl.Range, format string, args ...any) cty.Type {
	p.faults = append(p.faults, Fault{Range: r, Summary: fmt.Sprintf(format, args...)})
	return cty.DynamicPseudoType
}

func (p *parser) last() *Fault { return &p.faults[len(p.faults)-1] }

func (p *parser) word(kw string, r hcl.Range) cty.Type {
	if t, ok := words[kw]; ok {
		return t
	}
	switch kw {
	case "list", "set", "map":
		return p.fault(r, "%s needs the type of its elements: %s(string)", kw, kw)
	case "object":
		return p.fault(r, "object needs its attributes: object({ name = string })")
	case "tuple":
		return p.fault(r, "tuple needs its elements: tuple([string, number])")
	case "artifact":
		return p.fault(r, `artifact needs a media type: artifact("application/zip")`)
	}
	t := p.fault(r, "%q is not a type", kw)
	if p.last().Meant = synonyms[kw]; p.last().Meant == "" {
		p.last().Unknown = kw
	}
	return t
}

func (p *parser) call(call *hcl.StaticCall) (cty.Type, *Defaults) {
	if call.Name == "optional" {
		return p.fault(call.NameRange, "optional(…) can only be used around the type of an object's attribute; a param or a variable is optional with `default = null`, and an output with `optional = true`"), nil
	}
	if _, known := words[call.Name]; known {
		return p.fault(call.ArgsRange, "%s takes no argument", call.Name), nil
	}
	switch call.Name {
	case "list", "set", "map", "object", "tuple", "artifact":
	default:
		return p.word(call.Name, call.NameRange), nil
	}
	if len(call.Arguments) != 1 {
		return p.fault(call.ArgsRange, "%s takes one argument, found %d", call.Name, len(call.Arguments)), nil
	}
	arg := call.Arguments[0]
	switch call.Name {
	case "object":
		return p.object(arg)
	case "tuple":
		return p.tuple(arg)
	case "artifact":
		return p.artifact(arg), nil
	}
	elem, d := p.typ(arg)
	switch call.Name {
	case "list":
		return cty.List(elem), ofElements(d)
	case "map":
		return cty.Map(elem), ofElements(d)
	}
	if HasArtifact(elem) {
		return p.fault(arg.Range(), "a set can't contain artifacts; use list(%s) or map(%s)", String(elem), String(elem)), nil
	}
	return cty.Set(elem), ofElements(d)
}

func (p *parser) artifact(arg hcl.Expression) cty.Type {
	v, diags := arg.Value(nil)
	if diags.HasErrors() || v.IsNull() || !v.IsKnown() || v.Type() != cty.String || v.AsString() == "" {
		return p.fault(arg.Range(), `artifact takes a media type in quotes: artifact("application/zip")`)
	}
	return Of(Artifact{Kind: "artifact", Media: v.AsString()})
}

func (p *parser) tuple(arg hcl.Expression) (cty.Type, *Defaults) {
	items, diags := hcl.ExprList(arg)
	if diags.HasErrors() {
		return p.fault(arg.Range(), "tuple takes a list of types: tuple([string, number])"), nil
	}
	var elems []cty.Type
	var defaults *Defaults
	for i, item := range items {
		t, d := p.typ(item)
		elems = append(elems, t)
		defaults = defaults.with(fmt.Sprint(i), d)
	}
	return cty.Tuple(elems), defaults
}

func (p *parser) object(arg hcl.Expression) (cty.Type, *Defaults) {
	items, diags := hcl.ExprMap(arg)
	if diags.HasErrors() {
		return p.fault(arg.Range(), "object takes its attributes in braces: object({ name = string })"), nil
	}
	attrs := map[string]cty.Type{}
	var optional []string
	var defaults *Defaults
	for _, item := range items {
		name := hcl.ExprAsKeyword(item.Key)
		if name == "" {
			if v, diags := item.Key.Value(nil); !diags.HasErrors() && v.Type() == cty.String && v.IsKnown() && !v.IsNull() {
				name = v.AsString()
			}
		}
		if name == "" {
			p.fault(item.Key.Range(), "the name of an attribute must be a plain word")
			continue
		}
		if _, twice := attrs[name]; twice {
			p.fault(item.Key.Range(), "the attribute %q appears twice", name)
			continue
		}
		call, diags := hcl.ExprCall(item.Value)
		if diags.HasErrors() || call.Name != "optional" {
			var d *Defaults
			attrs[name], d = p.typ(item.Value)
			defaults = defaults.with(name, d)
			continue
		}
		if len(call.Arguments) < 1 || len(call.Arguments) > 2 {
			attrs[name] = p.fault(call.ArgsRange, "optional takes the type and a default: optional(number, 1)")
			continue
		}
		optional = append(optional, name)
		t, d := p.typ(call.Arguments[0])
		attrs[name] = t
		defaults = defaults.with(name, d)
		if len(call.Arguments) == 2 {
			defaults = p.byDefault(defaults, name, call.Arguments[1], t, d)
		}
	}
	return cty.ObjectWithOptionalAttrs(attrs, optional), defaults
}

// byDefault adds the default of an attribute of type t, whose own defaults are inner, to defaults.
func (p *parser) byDefault(defaults *Defaults, name string, e hcl.Expression, t cty.Type, inner *Defaults) *Defaults {
	if p.value == nil {
		p.fault(e.Range(), "only a variable, a param and an input can have defaults in their type")
		return defaults
	}
	if HasArtifact(t) {
		p.fault(e.Range(), "an artifact can't have a default")
		return defaults
	}
	v, err := p.value(e)
	if err != nil {
		p.fault(e.Range(), "%s", err)
		return defaults
	}
	if v.IsNull() {
		return defaults // as without a default
	}
	if v, err = Convert(inner.Apply(v), t); err != nil {
		p.fault(e.Range(), "the default of %q: %s", name, err)
		return defaults
	}
	data, err := ToJSON(v)
	if err != nil {
		p.fault(e.Range(), "the default of %q: %s", name, err)
		return defaults
	}
	return defaults.value(name, data)
}
