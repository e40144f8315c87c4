package evaluate

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// fileNames are the functions that read files. They run only when compiling, and read only files of the project.
var fileNames = map[string]bool{"file": true, "templatefile": true, "filesha256": true}

// IsFileFunction reports whether a function reads a file, and therefore can't wait for run time.
func IsFileFunction(name string) bool { return fileNames[name] }

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
			Params:      []function.Parameter{path, {Name: "vars", Type: cty.DynamicPseudoType}},
			Type:        function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				return templateFile(dir, args[0].AsString(), args[1])
			},
		}),
	}
}

// open opens a file below dir. It follows neither .. nor a symbolic link to the outside.
func open(dir, path string) (*os.File, error) {
	if path == "" {
		return nil, errors.New("the path is empty")
	}
	if !filepath.IsLocal(path) {
		return nil, fmt.Errorf("%q is outside of the project: a path is relative to the project's directory and stays below it", path)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, PathFault(path, err)
	}
	defer root.Close()
	info, err := root.Stat(path)
	if err != nil {
		return nil, PathFault(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", path)
	}
	f, err := root.Open(path)
	if err != nil {
		return nil, PathFault(path, err)
	}
	return f, nil
}

// PathFault returns a short reason why a path of the project can't be used.
func PathFault(path string, err error) error {
	var pathErr *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %q in the project", path)
	case errors.As(err, &pathErr) && pathErr.Err.Error() == "path escapes from parent":
		return fmt.Errorf("%q leads outside of the project", path)
	case errors.As(err, &pathErr):
		err = pathErr.Err
	}
	return fmt.Errorf("%q can't be read: %w", path, err)
}

func readText(dir, path string) (string, error) {
	f, err := open(dir, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, types.MaxValue+1))
	switch {
	case err != nil:
		return "", PathFault(path, err)
	case len(data) > types.MaxValue:
		return "", fmt.Errorf("%q is larger than a value may be (%d bytes): add it to the code, or use an artifact", path, types.MaxValue)
	case !utf8.Valid(data):
		return "", fmt.Errorf("%q is not UTF-8 text", path)
	}
	return string(data), nil
}

func hashFile(dir, path string) (string, error) {
	f, err := open(dir, path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", PathFault(path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
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
	if t := vars.Type(); vars.IsNull() || !t.IsObjectType() && !t.IsMapType() {
		return nothing, errors.New("the second argument must be a map of the values that the template reads")
	}
	ctx := &hcl.EvalContext{Variables: vars.AsValueMap(), Functions: expr.Functions()}
	v, diags := node.Value(ctx)
	if diags.HasErrors() {
		return nothing, diags[0]
	}
	if v.IsNull() || v.Type() != cty.String {
		return nothing, fmt.Errorf("the result of template %q is not text", path)
	}
	return v, nil
}
