package types_test

import (
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// TestLiteralText writes text that is hard to quote, and reads it as an expression of the language.
func TestLiteralText(t *testing.T) {
	for _, text := range []string{"", "plain", "\x1b[31m", "a\"b\\c", "\n\r\t\x00\x7f", "${x} %{ if } $${y} $$ %%{", "\u200b\U000e0001👩‍👩‍👧", "\u00a0é"} {
		v := cty.ObjectVal(map[string]cty.Value{text: cty.StringVal(text)})
		written := types.Literal(v)
		node, diags := hclsyntax.ParseExpression([]byte(written), "x", hcl.InitialPos)
		if diags.HasErrors() {
			t.Errorf("%q is written as %s: %v", text, written, diags)
			continue
		}
		if got, diags := node.Value(nil); diags.HasErrors() || !got.RawEquals(v) {
			t.Errorf("%q is written as %s, which is %#v, %v", text, written, got, diags)
		}
		typ := cty.Object(map[string]cty.Type{text + "-": cty.String})
		if got, err := types.ParseString(types.String(typ)); err != nil || !got.Equals(typ) {
			t.Errorf("%s is read as %#v, %v", types.String(typ), got, err)
		}
	}
}
