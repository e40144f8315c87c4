package lsp

import (
	"slices"
	"strings"

	stackkinds "pipec.dev/pipec/schema/kinds"
)

// recipeOutputs returns the outputs that recipes have, each once.
func recipeOutputs() []stackkinds.Output {
	var out []stackkinds.Output
	for _, row := range stackkinds.Builtin().Recipes {
		for _, o := range row.Outputs {
			if !slices.ContainsFunc(out, func(known stackkinds.Output) bool { return known.Name == o.Name }) {
				out = append(out, o)
			}
		}
	}
	return out
}

// outputDoc describes recipe.NAME; "" if there is no such output.
func outputDoc(name string) string {
	for _, o := range recipeOutputs() {
		if name == "recipe."+o.Name {
			return strings.ToUpper(o.Doc[:1]) + o.Doc[1:] + ", as `pipec stack up` has made it."
		}
	}
	return ""
}
