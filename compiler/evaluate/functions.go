package evaluate

import (
	"maps"

	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/schema/expr"
)

// Functions returns all functions of the language, by name, for a project in dir: those that also run at run time, and
// those that read files of the project.
func Functions(dir string) map[string]function.Function {
	all := maps.Clone(expr.Functions())
	maps.Copy(all, fileFunctions(dir))
	return all
}
