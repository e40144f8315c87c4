package language

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compile compiles the schema offline. The library contains the drafts' meta-schemas, and checks against them.
func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	data, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertVocabs()
	if err := c.AddResource(schemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func digits(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/digits.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc.(map[string]any)
}

func TestJSONSchemaKeepsItsMetaSchema(t *testing.T) {
	data, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	meta, err := jsonschema.NewCompiler().Compile(draft)
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Validate(doc); err != nil {
		t.Error(err)
	}
	doc.(map[string]any)["properties"].(map[string]any)["step"] = map[string]any{"type": "nothing"}
	if meta.Validate(doc) == nil {
		t.Error("the meta-schema accepts anything")
	}
}

func TestJSONSchemaIsDeterministic(t *testing.T) {
	first, err := JSONSchema()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if again, _ := JSONSchema(); !bytes.Equal(first, again) {
			t.Fatal("two calls give different bytes")
		}
	}
	if !bytes.HasSuffix(first, []byte("}\n")) || bytes.Contains(first, []byte(`\u003c`)) {
		t.Error("the text is not as a person would write it")
	}
}

func TestJSONSchemaAcceptsDigits(t *testing.T) {
	if err := compile(t).Validate(digits(t)); err != nil {
		t.Error(err)
	}
}

func TestJSONSchemaRefuses(t *testing.T) {
	s := compile(t)
	trainer := "pipeline.kubernetes_example_pipeline.step.trainer."
	for _, c := range []struct{ path, value string }{
		{"pipelin", `{}`},
		{"pipec", `{}`},
		{"pipec.project", `true`},
		{"pipec", `[{"project": "a"}, {"project": "b"}]`},
		{"variable.gamma.typ", `"number"`},
		{"variable.gamma.type", `"numbr"`},
		{"variable.gamma.validation.condition", `"yes"`},
		{"variable.a b", `{"default": 1}`},
		{"variable." + strings.Repeat("x", 64), `{"default": 1}`},
		{"stack.local.orchestrator.docker", `{}`},
		{"stack.local.orchestrator", `{}`},
		{"stack.local.orchestrator.local.namespace", `"a"`},
		{"stack.local.orchestrator.kubernetes", `{}`},
		{"stack.k8s.orchestrator.kubernetes.parallel", `2`},
		{"stack.k8s.orchestrator.kubernetes.synchronous", `"yes"`},
		{"stack.k8s.artifact_store.s3", `{}`},
		{"code.steps", `{}`},
		{"pipeline.kubernetes_example_pipeline.code", `"steps"`},
		{"pipeline.kubernetes_example_pipeline.on_failure", `"explode"`},
		{"pipeline.kubernetes_example_pipeline.schedule.cron", `"every day"`},
		{"pipeline.kubernetes_example_pipeline.output.accuracy", `{}`},
		{trainer + "comand", `["true"]`},
		{trainer + "command", `"true"`},
		{trainer + "depends_on", `["importer"]`},
		{trainer + "timeout", `"2 hours"`},
		{trainer + "timeout", `90`},
		{trainer + "timeout", `"90"`},
		{trainer + "timeout", `"-1s"`},
		{trainer + "cache", `"yes"`},
		{trainer + "cache.sal", `"v1"`},
		{trainer + "resources.memory", `"1 GB"`},
		{trainer + "resources.cpu", `-1`},
		{trainer + "retry", `[{"attempts": 3}]`},
		{trainer + "input.X_train", `{}`},
		{trainer + "output.model.type", `"modell"`},
		{trainer + "output.model.type", `"list"`},
		{trainer + "inputs", `["a"]`},
		{trainer + "inputs", `{"a b": 1}`},
		{trainer + "outputs", `{"model": "modell"}`},
		{trainer + "outputs", `["a b"]`},
		{trainer + "outputs", `"model"`},
	} {
		t.Run(c.path+"="+c.value, func(t *testing.T) {
			doc := digits(t)
			set(t, doc, strings.Split(c.path, "."), c.value)
			if s.Validate(doc) == nil {
				t.Error("it is accepted")
			}
		})
	}
}

func set(t *testing.T, doc map[string]any, path []string, value string) {
	t.Helper()
	for _, p := range path[:len(path)-1] {
		doc = doc[p].(map[string]any)
	}
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(value))
	if err != nil {
		t.Fatal(err)
	}
	doc[path[len(path)-1]] = v
}

// TestJSONSchemaHoldsTheWholeTable writes a project with every block and attribute of the table, and then breaks each of
// them.
func TestJSONSchemaHoldsTheWholeTable(t *testing.T) {
	s := compile(t)
	for kind := range 2 { // orchestrators and stores of the first kind, then those of the second; recipes have one
		var breaks []func() (what string, undo func())
		whole := sample(Root(), "", "", kind, &breaks)
		if err := s.Validate(whole); err != nil {
			t.Fatal(err)
		}
		if len(breaks) < 200 {
			t.Fatalf("only %d places of the table are tried", len(breaks))
		}
		for _, b := range breaks {
			what, undo := b()
			if s.Validate(whole) == nil {
				t.Errorf("accepted: %s", what)
			}
			undo()
		}
		if err := s.Validate(whole); err != nil {
			t.Error(err)
		}
	}
}

// sample returns a body of the block with everything that it allows. breaks are ways to make it invalid.
func sample(b *Block, label, path string, kind int, breaks *[]func() (string, func())) map[string]any {
	out := map[string]any{}
	path += "/" + b.Name + "(" + label + ")"
	replace := func(name string, value any) {
		old := out[name]
		*breaks = append(*breaks, func() (string, func()) {
			out[name] = value
			return fmt.Sprintf("%s: %s = %v", path, name, value), func() {
				if out[name] = old; old == nil {
					delete(out, name)
				}
			}
		})
	}
	if b.Free {
		out["anything"] = 1.0
		return out
	}
	for _, a := range b.Attributes {
		if !a.For(label) {
			replace(a.Name, value(a))
			continue
		}
		out[a.Name] = value(a)
		if wrong := wrongValue(a); wrong != nil {
			replace(a.Name, wrong)
		}
		if a.Required {
			*breaks = append(*breaks, func() (string, func()) {
				old := out[a.Name]
				delete(out, a.Name)
				return path + " without " + a.Name, func() { out[a.Name] = old }
			})
		}
	}
	for _, n := range b.Blocks {
		switch {
		case !n.For(label):
			replace(n.Name, map[string]any{})
		case b.Attribute(n.Name) != nil: // an attribute has the same name
		case n.Labels != nil:
			label := n.Labels[min(kind, len(n.Labels)-1)]
			out[n.Name] = map[string]any{label: sample(n, label, path, kind, breaks)}
			if n.Single && len(n.Labels) > 1 {
				replace(n.Name, map[string]any{n.Labels[0]: map[string]any{}, n.Labels[1]: map[string]any{}})
			}
		case n.Label != "":
			out[n.Name] = map[string]any{"a-1": sample(n, "a-1", path, kind, breaks)}
			replace(n.Name, map[string]any{"a b": map[string]any{}})
		case n.Single:
			out[n.Name] = sample(n, "", path, kind, breaks)
			replace(n.Name, []any{out[n.Name]})
		default:
			out[n.Name] = []any{sample(n, "", path, kind, breaks), sample(n, "", path, kind, breaks)}
			replace(n.Name, []any{1.0})
		}
	}
	replace("no-such-name", 1.0)
	return out
}

func value(a *Attribute) any {
	byFormat := map[string]any{"duration": "1h30m", "quantity": "500m", "cron": "*/5 * * * 1-5", "timezone": "Europe/Berlin", "path": "./src"}
	scalar := func(typ string) any {
		switch typ {
		case "list(string)":
			return []any{"text"}
		case "number":
			return 2.0
		case "bool":
			return false
		case "any":
			return map[string]any{"a": []any{1.0}}
		}
		if a.OneOf != nil {
			return a.OneOf[0]
		}
		if v, ok := byFormat[a.Format]; ok {
			return v
		}
		return "text"
	}
	switch {
	case a.Kind == Type:
		return "map(model)"
	case a.Kind == Types:
		return map[string]any{"k": "map(model)"}
	case a.Short != nil:
		return map[string]any{"k": "${step.a.x}"}
	case a.Kind == Refs:
		return []any{"step.a", `step.b["k"]`}
	case a.Kind == Ref:
		return "code.steps"
	}
	if elem, ok := inside(a.Type, "list("); ok {
		return []any{scalar(elem), "${local.x}"}
	}
	if elem, ok := inside(a.Type, "map("); ok {
		return map[string]any{"k": scalar(elem), "nvidia.com/gpu": "${local.x}"}
	}
	return scalar(a.Type)
}

func wrongValue(a *Attribute) any {
	switch {
	case a.Type == "any" && a.Kind != Type:
		return nil
	case a.Type == "list(any)":
		return "text"
	}
	return []any{map[string]any{"no": "thing"}}
}

func TestSharedDefsHaveNamesOfTheirOwn(t *testing.T) {
	for name := range sharedDefs() {
		if Root().Block(name) != nil {
			t.Errorf("%s is a block too", name)
		}
	}
}

// TestDefaults checks that a default is written as in JSON; otherwise an editor can't show it.
func TestDefaults(t *testing.T) {
	var walk func(b *Block)
	walk = func(b *Block) {
		for _, a := range b.Attributes {
			if a.Default != "" && !json.Valid([]byte(a.Default)) {
				t.Errorf("%s: the default of %s is not a literal: %s", b.Name, a.Name, a.Default)
			}
			if a.Format != "" && a.Format != "arguments" && patterns[a.Format] == "" {
				t.Errorf("%s: %s has a format without a pattern: %s", b.Name, a.Name, a.Format)
			}
			if a.Doc == "" {
				t.Errorf("%s: %s has no doc", b.Name, a.Name)
			}
		}
		for _, n := range b.Blocks {
			if n.Doc == "" {
				t.Errorf("%s has no doc", n.Name)
			}
			walk(n)
		}
	}
	walk(Root())
}
