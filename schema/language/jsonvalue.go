package language

import (
	"encoding/json"
	"strings"

	"pipec.dev/pipec/schema/types"
)

// patterns are for the content of a string, by format. They reject what is certainly wrong, and leave the rest to the
// compiler.
var patterns = map[string]string{
	"duration": `^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))*$|^\+?0$`,
	"quantity": `^\+?([0-9]+(\.[0-9]*)?|\.[0-9]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$`,
	"cron":     `^\s*(\S+\s+\S+\s+\S+\s+\S+\s+\S+|@\S+(\s+\S+)?)\s*$`,
	"timezone": `^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`,
	"path":     `^[^\x00]+$`,
	"glob":     `^[^\x00]*[^\x00/]$`,
}

const (
	namePattern      = `^[A-Za-z_][A-Za-z0-9_-]{0,62}$`
	referencePattern = `^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*|\[("[^"]*"|[0-9]+)\])+$`
	stepPattern      = `^step\.[A-Za-z_][A-Za-z0-9_-]*(\[("[^"]*"|[0-9]+)\])?$`
	templatePattern  = `[$%]\{`
)

// sharedDefs are the definitions that many attributes refer to. No block has the name of one of them.
func sharedDefs() object {
	return object{
		"name":      object{"type": "string", "pattern": namePattern, "description": "A letter or _, then letters, digits, _ and -; at most 63."},
		"template":  object{"type": "string", "pattern": templatePattern, "description": "An expression in a string: \"${…}\". Alone, it keeps its type."},
		"reference": object{"type": "string", "pattern": referencePattern, "description": "The address of a declaration, such as code.steps."},
		"argument": object{"description": "A string, a list of arguments, or null, which is left out.", "anyOf": []any{
			object{"type": []string{"string", "number", "null"}}, object{"type": "array", "items": ref("argument")},
		}},
		"type": object{"description": "A type, such as number, model, list(string), object({ name = string }).", "anyOf": []any{
			object{"type": "string", "enum": typeWords()},
			object{"type": "string", "pattern": `^\s*(list|set|map|object|tuple|artifact)\s*\(`},
		}},
	}
}

// typeWords returns the types that are one word. All other types take an argument.
func typeWords() []string {
	var out []string
	for _, w := range types.Words() {
		if _, err := types.ParseString(w); err == nil {
			out = append(out, w)
		}
	}
	return out
}

// attributeSchema returns the schema of an attribute's value.
func attributeSchema(a *Attribute) object {
	var s object
	switch {
	case a.Kind == Type:
		s = ref("type")
	case a.Kind == Types:
		s = object{"anyOf": []any{
			object{"type": "object", "propertyNames": ref("name"), "additionalProperties": ref("type")},
			object{"type": "array", "items": ref("name")},
		}}
	case a.Short != nil:
		s = object{"type": "object", "propertyNames": ref("name")}
	case a.Kind == Refs:
		s = object{"type": "array", "items": object{"type": "string", "pattern": stepPattern}}
	case a.Kind == Ref && a.Type == "":
		s = ref("reference")
	case a.Kind == Ref:
		s = object{"type": "string"} // the address of a declaration, or a string
	default:
		s = valueSchema(a.Type, a)
	}
	describe(s, a.Doc, a.Since)
	if a.Default != "" && json.Valid([]byte(a.Default)) {
		s["default"] = json.RawMessage(a.Default)
	}
	return s
}

// valueSchema returns the schema of a literal of a type, or of a template.
func valueSchema(typ string, a *Attribute) object {
	if a.Format == "arguments" {
		return orTemplate(object{"type": "array", "items": ref("argument")})
	}
	elem, isList := inside(typ, "list(")
	if !isList {
		elem, isList = inside(typ, "set(")
	}
	if isList {
		return orTemplate(object{"type": "array", "items": valueSchema(elem, a)})
	}
	if elem, isMap := inside(typ, "map("); isMap {
		return orTemplate(object{"type": "object", "additionalProperties": valueSchema(elem, a)})
	}
	switch {
	case typ == "any":
		return object{}
	case typ == "number":
		return orTemplate(object{"type": "number"})
	case typ == "bool":
		return orTemplate(object{"type": "boolean"})
	case a.OneOf != nil:
		return orTemplate(object{"type": "string", "enum": a.OneOf})
	case a.Format == "quantity": // cpu: 1 is a number to YAML
		return object{"anyOf": []any{object{"type": "number", "minimum": 0}, formatted(a.Format), ref("template")}}
	case patterns[a.Format] != "":
		return orTemplate(formatted(a.Format))
	}
	return object{"type": []string{"string", "number"}} // a number is kept as its text
}

func formatted(format string) object {
	return object{"type": "string", "pattern": patterns[format]}
}

func orTemplate(s object) object { return object{"anyOf": []any{s, ref("template")}} }

// orNull returns a schema that also accepts null, which leaves the attribute out.
func orNull(s object) object {
	null := object{"type": "null"}
	switch {
	case s["anyOf"] != nil:
		s["anyOf"] = append(s["anyOf"].([]any), null)
	case s["$ref"] != nil:
		s["anyOf"] = []any{object{"$ref": s["$ref"]}, null}
		delete(s, "$ref")
	case s["items"] != nil: // its other keywords are about a list
		s["anyOf"] = []any{object{"type": s["type"], "items": s["items"]}, null}
		delete(s, "type")
		delete(s, "items")
	default:
		switch t := s["type"].(type) {
		case string:
			s["type"] = []string{t, "null"}
		case []string:
			s["type"] = append(t, "null")
		}
	}
	return s
}

func inside(typ, call string) (string, bool) {
	rest, ok := strings.CutPrefix(typ, call)
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, ")")
}
