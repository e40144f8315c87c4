package report

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/runtime/shell"
	"pipec.dev/pipec/schema/program"
)

// script returns the command of a step that runs a script: the script and its options as they are on the command line. What
// is evaluated at run time is written as ${…}.
func script(s *program.Step) string {
	text := "python " + shell.Word(s.Script)
	if s.Args == nil {
		return text
	}
	args := s.Args.Text()
	x, diags := hclsyntax.ParseExpression([]byte(args), "", hcl.InitialPos)
	if object, ok := x.(*hclsyntax.ObjectConsExpr); ok && !diags.HasErrors() {
		if words, ok := options(object, args); ok {
			return text + words
		}
	}
	return text + " ${" + args + "}"
}

// options writes a map of options that is written out; false if a name is computed.
func options(object *hclsyntax.ObjectConsExpr, src string) (string, bool) {
	var words []string
	for _, item := range object.Items {
		key, diags := item.KeyExpr.Value(nil)
		if diags.HasErrors() || !key.Type().Equals(cty.String) || !key.IsKnown() || key.IsNull() {
			return "", false
		}
		name := key.AsString()
		if !strings.HasPrefix(name, "-") {
			name = "--" + strings.ReplaceAll(name, "_", "-")
		}
		at := item.ValueExpr.Range()
		text := src[at.Start.Byte:at.End.Byte]
		value, diags := item.ValueExpr.Value(nil)
		switch {
		case diags.HasErrors() || !value.IsKnown():
			name += "=${" + text + "}"
		case value.Type().Equals(cty.String) && !value.IsNull():
			name += "=" + shell.Word(value.AsString())
		case value.RawEquals(cty.True): // a flag
		default:
			name += "=" + text
		}
		words = append(words, " "+name)
	}
	slices.Sort(words) // as the step sorts them
	return strings.Join(words, ""), true
}
