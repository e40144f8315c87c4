package evaluate

import (
	"errors"
	"fmt"
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// Functions returns all functions of the language, by name, for a project in dir: those that also run at run time, and
// those of OnlyCompiling.
func Functions(dir string) map[string]function.Function {
	all := maps.Clone(expr.Functions())
	maps.Copy(all, fileFunctions(dir))
	maps.Copy(all, yamlFunctions())
	return all
}

// fileNames are the functions that read files. They run only when compiling, and read only files of the project.
var fileNames = map[string]bool{"file": true, "fileexists": true, "fileset": true, "filesha256": true, "templatefile": true}

func isFileFunction(name string) bool { return fileNames[name] }

// OnlyCompiling reports whether a function runs only when compiling: it reads files, or needs a library that is too large for
// the agent.
func OnlyCompiling(name string) bool {
	return fileNames[name] || name == "yamldecode" || name == "yamlencode"
}

func fileFunctions(dir string) map[string]function.Function {
	path := function.Parameter{Name: "path", Type: cty.String}
	return map[string]function.Function{
		"file": function.New(&function.Spec{
			Description: "Returns the text of a file of the project, when compiling.",
			Params:      []function.Parameter{path},
			Type:        function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				text, err := readText(dir, args[0].AsString())
				return cty.StringVal(text), err
			},
		}),
		"fileexists": function.New(&function.Spec{
			Description: "Reports whether there is a file of the project, when compiling. A directory is an error.",
			Params:      []function.Parameter{path},
			Type:        function.StaticReturnType(cty.Bool),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				found, err := exists(dir, args[0].AsString())
				return cty.BoolVal(found), err
			},
		}),
		"fileset": function.New(&function.Spec{
			Description: "Returns the paths of the files below a directory of the project that match a pattern, relative to the directory, when compiling. `*`, `?`, `[a-z]` and `{a,b}` match parts of a name, and `**` matches any directories. A name that starts with a dot matches only a pattern that starts with a dot.",
			Params:      []function.Parameter{path, {Name: "pattern", Type: cty.String}},
			Type:        function.StaticReturnType(cty.Set(cty.String)),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				return fileSet(dir, args[0].AsString(), args[1].AsString())
			},
		}),
		"filesha256": function.New(&function.Spec{
			Description: "Returns the SHA-256 of a file of the project, in hexadecimal, when compiling.",
			Params:      []function.Parameter{path},
			Type:        function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				sum, err := hashFile(dir, args[0].AsString())
				return cty.StringVal(sum), err
			},
		}),
		"templatefile": function.New(&function.Spec{
			Description: "Returns the text of a file of the project with its ${…} filled in from a map of values, when compiling.",
			Params:      []function.Parameter{path, {Name: "vars", Type: cty.DynamicPseudoType, AllowMarked: true}},
			Type:        function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				return templateFile(dir, args[0].AsString(), args[1])
			},
		}),
	}
}

func templateFile(dir, path string, vars cty.Value) (cty.Value, error) {
	nothing := cty.StringVal("")
	text, err := readText(dir, path)
	if err != nil {
		return nothing, err
	}
	if r := expr.GateTemplate([]byte(text)); r != nil {
		return nothing, fmt.Errorf("%q, line %d: %s", path, r.Pos.Line, r.Why)
	}
	node, diags := hclsyntax.ParseTemplate([]byte(text), path, hcl.InitialPos)
	if diags.HasErrors() {
		return nothing, diags[0]
	}
	expr.UseOperators(node)
	if t := vars.Type(); vars.IsNull() || !t.IsObjectType() && !t.IsMapType() {
		return nothing, errors.New("the second argument must be a map of the values that the template reads")
	}
	vars, marks := types.Apart(vars)
	bare, part := types.Unmark(vars)
	texts := bare.AsValueMap()
	plain := make(map[string]cty.Value, len(texts))
	for name, v := range texts {
		texts[name] = part(v)
		plain[name] = types.Computed(v)
	}
	ctx := &hcl.EvalContext{Variables: plain, Functions: expr.Functions()}
	v, diags := node.Value(ctx)
	if diags.HasErrors() {
		return nothing, diags[0]
	}
	if !types.HasForms(vars) {
		texts = nil
	}
	v = written(v, node, expr.Source([]byte(text)), ctx, texts)
	if v = types.Computed(Texts(node, v, cty.String)); v.IsNull() || v.Type() != cty.String {
		return nothing, fmt.Errorf("the result of template %q is not text", path)
	}
	return v.WithMarks(marks), nil
}
