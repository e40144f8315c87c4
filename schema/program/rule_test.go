package program_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

// TestRuleMessage reads the param in the message of a rule. A value without a text is reported without a message of the user's.
func TestRuleMessage(t *testing.T) {
	p := &program.Param{Name: "n", Type: "number", Rules: []program.Rule{{
		Condition: program.Value{Expr: &expr.Expr{Text: "param.n == 1", Refs: []string{"param.n"}, Type: "bool"}},
		Message:   program.Value{Expr: &expr.Expr{Text: `"found ${param.n}"`, Refs: []string{"param.n"}, Type: "string"}},
	}}}
	if err := p.Allows(json.RawMessage("1")); err != nil {
		t.Error(err)
	}
	for value, want := range map[string]string{"5": `param "n": found 5`, "1.50": `param "n": found 1.50`, "null": "error_message can't be evaluated"} {
		var not *program.NotAllowedError
		if err := p.Allows(json.RawMessage(value)); !errors.As(err, &not) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected %q, found %v", value, want, err)
		}
	}
}
