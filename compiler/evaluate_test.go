package compiler_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// TestKeptExpressions evaluates every expression that the programs of the corpus store, as the runtime does: only from the
// program's JSON, with made-up values of the types that the program declares. Each result has the expression's declared
// type.
func TestKeptExpressions(t *testing.T) {
	files, err := filepath.Glob("../testdata/programs/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	count := 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			file, err := filepath.Abs(file)
			must(t, err)
			a, err := txtar.ParseFile(file)
			must(t, err)
			for _, p := range compileArchive(t, a).Programs {
				data, err := p.Encode()
				must(t, err)
				back, err := program.Decode(data)
				must(t, err)
				evaluateAll(t, back, &count)
			}
		})
	}
	if count < 40 {
		t.Errorf("only %d expressions are evaluated", count)
	}
}

func evaluateAll(t *testing.T, p *program.Program, count *int) {
	t.Helper()
	for _, s := range p.All() {
		for _, e := range expressions(&program.Program{Steps: []program.Step{*s}}) {
			*count++
			v, err := e.Eval(func(ref string) (cty.Value, error) { return madeUp(p, s, ref) })
			if err != nil {
				t.Errorf("step %s: %v", s.Name, err)
				continue
			}
			want, err := types.ParseString(e.Type)
			must(t, err)
			if _, err := types.Convert(v, want); err != nil && !strings.Contains(err.Error(), "null") {
				t.Errorf("step %s: %s has the type %s: %v", s.Name, e.Text, e.Type, err)
			}
		}
	}
}

// madeUp returns a value for a reference.
func madeUp(p *program.Program, s *program.Step, ref string) (cty.Value, error) {
	if r, ok := expr.StepRef(ref); ok && (r.Instance != "" || r.Attr == "") {
		return madeUpInstances(p, s, r)
	}
	parts := strings.Split(ref, ".")
	handle := cty.ObjectVal(map[string]cty.Value{"path": cty.StringVal("/tmp/x")})
	switch {
	case ref == "attempt", strings.HasSuffix(ref, "exit_code"):
		return cty.NumberIntVal(1), nil
	case ref == "reason", parts[0] == "run", parts[0] == "step" && slices.Contains([]string{"status", "reason", "message"}, parts[2]):
		return cty.StringVal("failed"), nil
	case parts[0] == program.LastSuccessRoot:
		for _, l := range p.LastSuccess {
			if l.Ref() == ref {
				return ofType(l.Type)
			}
		}
	case parts[0] == "each":
		t, err := types.ParseString(s.ForEach.Type)
		switch {
		case err != nil:
			return cty.NilVal, err
		case parts[1] == "value" || t.IsSetType():
			return example(t.ElementType()), nil
		case t.IsMapType():
			return cty.StringVal("x"), nil
		}
		return cty.NumberIntVal(1), nil
	case parts[0] == "output":
		return handle, nil
	case parts[0] == "param":
		for _, q := range p.Params {
			if q.Name == parts[1] {
				return ofType(q.Type)
			}
		}
	case parts[0] == "input":
		for _, in := range s.Inputs {
			if in.Name == parts[1] {
				if t, err := types.ParseString(in.Type); err != nil || types.HasArtifact(t) {
					return handle, err
				}
				return ofType(in.Type)
			}
		}
	case parts[0] == "step":
		for _, other := range p.All() {
			for _, o := range other.Outputs {
				if other.Name == parts[1] && o.Name == parts[2] {
					return ofType(o.Type)
				}
			}
		}
	}
	return cty.NilVal, fmt.Errorf("the program knows nothing of %s", ref)
}

// madeUpInstances returns a value for a reference to instances.
func madeUpInstances(p *program.Program, s *program.Step, r expr.Ref) (cty.Value, error) {
	one := expr.Ref{Step: r.Step, Attr: r.Attr}
	var v cty.Value
	var err error
	if r.Attr == "" {
		attrs := map[string]cty.Value{}
		for _, other := range p.All() {
			for _, o := range other.Outputs {
				if other.Name == r.Step {
					if attrs[o.Name], err = ofType(o.Type); err != nil {
						return cty.NilVal, err
					}
				}
			}
		}
		v = cty.ObjectVal(attrs)
	} else if v, err = madeUp(p, s, one.String()); err != nil {
		return v, err
	}
	switch r.Instance {
	case expr.All:
		return cty.TupleVal([]cty.Value{v, v}), nil
	case "":
		for _, other := range p.All() {
			if other.Name == r.Step && strings.HasPrefix(other.ForEach.Type, "list") {
				return cty.TupleVal([]cty.Value{v, v}), nil
			}
		}
		return cty.ObjectVal(map[string]cty.Value{"x": v, "y": v}), nil
	}
	return v, nil
}

func ofType(text string) (cty.Value, error) {
	t, err := types.ParseString(text)
	if err != nil {
		return cty.NilVal, err
	}
	return example(t), nil
}

func example(t cty.Type) cty.Value {
	switch {
	case t == cty.Number:
		return cty.NumberIntVal(1)
	case t == cty.Bool:
		return cty.True
	case t == cty.String:
		return cty.StringVal("x")
	case t == cty.DynamicPseudoType:
		return cty.NumberIntVal(2)
	case types.IsArtifact(t):
		return cty.CapsuleVal(t, &types.Handle{})
	case t.IsListType():
		e := example(t.ElementType())
		return cty.ListVal([]cty.Value{e, e})
	case t.IsSetType():
		return cty.SetVal([]cty.Value{example(t.ElementType())})
	case t.IsMapType():
		return cty.MapVal(map[string]cty.Value{"a": example(t.ElementType())})
	case t.IsTupleType():
		var elems []cty.Value
		for _, e := range t.TupleElementTypes() {
			elems = append(elems, example(e))
		}
		return cty.TupleVal(elems)
	}
	attrs := map[string]cty.Value{}
	for name, a := range t.AttributeTypes() {
		attrs[name] = example(a)
	}
	return cty.ObjectVal(attrs)
}
