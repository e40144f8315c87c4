package language

import (
	"bytes"
	"encoding/json"
	"strings"

	"pipec.dev/pipec/schema/kinds"
)

// draft is the dialect of JSON Schema.
const draft = "https://json-schema.org/draft/2020-12/schema"

// schemaID is the name of the schema. It is not an address to fetch.
const schemaID = "https://pipec.dev/schema/project.json"

// object is a JSON Schema, or a part of one. Its keys are written sorted, so the same table always has the same bytes.
type object = map[string]any

// JSONSchema returns the table as JSON Schema (draft 2020-12), for editors: a project as data, in HCL's JSON information
// model. A key is an attribute or a block type. A block with a label is an object keyed by the label. A block without one
// is an object, or a list of objects if it may appear several times. An expression is its value, or a string that contains
// it: "${param.gamma}".
//
// The schema checks what is visible in one file. The compiler checks names, references and the types of expressions.
func JSONSchema() ([]byte, error) { return JSONSchemaWith(kinds.Builtin()) }

// JSONSchemaWith is JSONSchema with the given kinds of orchestrators and stores.
func JSONSchemaWith(set *kinds.Set) ([]byte, error) {
	root := RootWith(set)
	defs := sharedDefs()
	schema := blockSchema(root, "", "", defs)
	schema["$schema"] = draft
	schema["$id"] = schemaID
	schema["title"] = "A pipec project, language " + Version
	schema["$defs"] = defs
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(schema); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// blockSchema returns the schema of a block's body. path is its name among the definitions. label is its label, if the
// labels are fixed.
func blockSchema(b *Block, path, label string, defs object) object {
	s := object{"type": "object", "additionalProperties": false}
	describe(s, b.Doc, b.Since)
	if b.Free {
		s["additionalProperties"] = true
		s["propertyNames"] = ref("name")
		return s
	}
	properties := object{}
	var required []string
	for _, a := range b.Attributes {
		if !a.For(label) {
			continue
		}
		properties[a.Name] = attributeSchema(a)
		if a.Omittable() {
			properties[a.Name] = orNull(properties[a.Name].(object))
		}
		if a.Required {
			required = append(required, a.Name)
		}
	}
	for _, n := range b.Blocks {
		if !n.For(label) {
			continue
		}
		part := nested(n, join(path, n.Name), defs)
		if same, ok := properties[n.Name]; ok { // an attribute and a block with one name, such as cache
			part = object{"anyOf": []any{same, part}, "description": plainText(b.Attribute(n.Name).Doc)}
		}
		properties[n.Name] = part
	}
	s["properties"] = properties
	if required != nil {
		s["required"] = required
	}
	return s
}

// nested returns the schema for the name of a block type.
func nested(b *Block, path string, defs object) object {
	if b.Labels != nil {
		kinds := object{}
		for _, l := range b.Labels {
			defs[join(path, l)] = blockSchema(b, join(path, l), l, defs)
			kinds[l] = ref(join(path, l))
		}
		s := object{"type": "object", "properties": kinds, "additionalProperties": false, "minProperties": 1}
		if b.Single {
			s["maxProperties"] = 1
		}
		describe(s, b.Doc, b.Since)
		return s
	}
	defs[path] = blockSchema(b, path, "", defs)
	switch {
	case b.Optional:
		named := object{"type": "object", "propertyNames": ref("name"), "additionalProperties": ref(path), "minProperties": 1}
		s := object{"anyOf": []any{ref(path), named}}
		describe(s, b.Doc, b.Since)
		return s
	case b.Label != "":
		s := object{"type": "object", "propertyNames": ref("name"), "additionalProperties": ref(path)}
		if b.Single {
			s["maxProperties"] = 1
		}
		describe(s, b.Doc, b.Since)
		return s
	case b.Single:
		return ref(path)
	}
	s := object{"anyOf": []any{ref(path), object{"type": "array", "items": ref(path)}}}
	describe(s, b.Doc, b.Since)
	return s
}

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// describe adds what an editor shows: the doc, and for what is not supported yet, the version that supports it.
func describe(s object, doc, since string) {
	if !Supported(since) {
		doc += "\n\nNot supported yet: part of the language since " + since + "; this pipec compiles " + Version + "."
		s["deprecated"] = true // the only mark that editors show on a name
		s["x-since"] = since
	}
	if doc == "" {
		return
	}
	s["description"] = plainText(doc)
	s["markdownDescription"] = doc
}

func plainText(doc string) string { return strings.ReplaceAll(doc, "`", "") }
