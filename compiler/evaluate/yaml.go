package evaluate

import (
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"pipec.dev/pipec/compiler/yaml"
)

// yamlFunctions returns the functions for text in YAML.
func yamlFunctions() map[string]function.Function {
	return map[string]function.Function{
		"yamldecode": function.New(&function.Spec{
			Description: "Returns the value of a text in YAML (the core schema of YAML 1.2), when compiling. The text is one document. Aliases and `<<` are replaced by their values.",
			Params:      []function.Parameter{{Name: "str", Type: cty.String}},
			Type:        function.StaticReturnType(cty.DynamicPseudoType),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				v, err := yaml.Decode([]byte(args[0].AsString()))
				if err != nil {
					return cty.NilVal, function.NewArgError(0, err)
				}
				return v, nil
			},
		}),
		"yamlencode": function.New(&function.Spec{
			Description: "Returns a value as text in YAML, when compiling. The keys of maps and objects are sorted.",
			Params:      []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowNull: true, AllowDynamicType: true}},
			Type:        function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				if !args[0].IsWhollyKnown() {
					return cty.UnknownVal(cty.String), nil
				}
				data, err := yaml.Encode(args[0])
				if err != nil {
					return cty.NilVal, function.NewArgError(0, err)
				}
				return cty.StringVal(string(data)), nil
			},
		}),
	}
}
