package inputs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"go.yaml.in/yaml/v4"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// maxFile is the largest size of a file with params, in bytes.
const maxFile = 64 << 20

// written is the value of a param as a file has it.
type written struct {
	data json.RawMessage // of JSON and YAML
	text string          // of HCL
}

// file reads the params that a file has: an object of JSON or YAML, or attributes of HCL. The value of an artifact is a
// string, as after `--param NAME=`.
func (r *reader) file(path string) error {
	text, err := readFile(path, maxFile)
	if err != nil {
		return fault.Usagef("--params: %v", err)
	}
	values, err := valuesOf(path, text)
	if err != nil {
		return fault.Usagef("--params: %s: %v", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		r.given[name] = true
		q := r.declared(name)
		if q == nil {
			continue
		}
		data, err := r.written(q, values[name])
		switch {
		case err == nil:
			r.out[name] = data
		case fault.KindOf(err) == fault.Usage:
			r.mistake("--params: %s: %v", path, err)
		default:
			return err
		}
	}
	return nil
}

// written returns the value of a param that a file has.
func (r *reader) written(q *program.Param, w written) (json.RawMessage, error) {
	want, err := types.ParseString(q.Type)
	if err != nil {
		return nil, fault.Env(err)
	}
	bad := func(err error) error { return fault.Usagef("param %s has the type %s: %v", q.Name, q.Type, err) }
	if types.HasArtifact(want) {
		source, err := w.as(cty.String)
		var text string
		if err != nil || json.Unmarshal(source, &text) != nil || string(source) == "null" {
			return nil, bad(errors.New("expected a string with its source"))
		}
		return artifact(q, text, r.ofRun)
	}
	data, err := w.as(want)
	if err != nil {
		return nil, bad(err)
	}
	return data, nil
}

// as returns the value as one of a type.
func (w written) as(want cty.Type) (json.RawMessage, error) {
	if w.data != nil {
		return types.Canonical(w.data, want)
	}
	data, err := constant(w.text, want)
	if errors.Is(err, errNotConstant) {
		return nil, fmt.Errorf("%s is not a constant", w.text)
	}
	return data, err
}

// valuesOf reads a file with params by the ending of its name.
func valuesOf(path, text string) (map[string]written, error) {
	out := map[string]written{}
	var data map[string]json.RawMessage
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		if err := json.Unmarshal([]byte(text), &data); err != nil {
			return nil, fmt.Errorf("it is not an object of JSON: %w", err)
		}
	case ".yaml", ".yml":
		var all map[string]any
		if err := yaml.Unmarshal([]byte(text), &all); err != nil {
			return nil, fmt.Errorf("it is not a mapping of YAML: %w", err)
		}
		for name, value := range all {
			one, err := json.Marshal(value)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = written{data: one}
		}
	default:
		return attributes(path, text)
	}
	for name, value := range data {
		out[name] = written{data: value}
	}
	return out, nil
}

// attributes reads the attributes of a file of HCL.
func attributes(path, text string) (map[string]written, error) {
	if r := expr.Gate([]byte(text)); r != nil {
		return nil, r
	}
	f, diags := hclsyntax.ParseConfig([]byte(text), filepath.Base(path), hcl.InitialPos)
	if diags.HasErrors() {
		return nil, diags.Errs()[0]
	}
	all, diags := f.Body.JustAttributes()
	if diags.HasErrors() {
		return nil, diags.Errs()[0]
	}
	out := map[string]written{}
	for name, a := range all {
		out[name] = written{text: string(a.Expr.Range().SliceBytes([]byte(text)))}
	}
	return out, nil
}
