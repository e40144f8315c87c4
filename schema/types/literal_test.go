package types_test

import (
	"testing"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

func TestLiteralNumber(t *testing.T) {
	for text, want := range map[string]string{
		"9007199254740993": "9007199254740993", "123456789012345678901234567890": "123456789012345678901234567890",
		"1e-7": "0.0000001", "1e20": "100000000000000000000", "1e400": "1e+400", "-0.5": "-0.5",
	} {
		v, err := cty.ParseNumberVal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := types.Literal(v); got != want {
			t.Errorf("%s is written as %s, want %s", text, got, want)
		}
	}
}
