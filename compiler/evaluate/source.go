package evaluate

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/schema/expr"
)

// LiteralJSON returns the JSON of an expression that consists of literals, or of a reference to a local that does, with the text of its
// strings and numbers in the source. It returns false for all other expressions.
func (w *Project) LiteralJSON(e hcl.Expression) (json.RawMessage, bool) {
	node, ok := w.Values.Follow(e).(hclsyntax.Expression)
	if !ok {
		return nil, false
	}
	return expr.LiteralJSON(node, w.Scope.sources[node.Range().Filename])
}
