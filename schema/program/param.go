package program

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/types"
)

// Rule is a condition that the value of a param must satisfy. It reads param.NAME.
type Rule struct {
	Condition Value  `json:"condition"`
	Message   string `json:"message"`
}

// NotAllowedError reports a value that has the type of a param, and that the param doesn't allow.
type NotAllowedError struct {
	Param   string
	Message string
}

func (e *NotAllowedError) Error() string { return fmt.Sprintf("param %q: %s", e.Param, e.Message) }

// Allows returns a *NotAllowedError for a value that the param doesn't allow. The value is in the canonical JSON of its type, or null.
func (p *Param) Allows(value json.RawMessage) error {
	if len(p.Enum) == 0 && len(p.Rules) == 0 {
		return nil
	}
	t, err := types.ParseString(p.Type)
	if err != nil {
		return err
	}
	if string(value) != "null" && len(p.Enum) > 0 && !p.lists(value, t) {
		texts := make([]string, len(p.Enum))
		for i, one := range p.Enum {
			texts[i] = string(one)
		}
		return &NotAllowedError{Param: p.Name, Message: fmt.Sprintf("expected one of %s, found %s", strings.Join(texts, ", "), value)}
	}
	for i := range p.Rules {
		rule := &p.Rules[i]
		v, err := rule.Condition.EvalAs(func(string) (cty.Value, error) { return read(value, t) }, cty.Bool)
		if err != nil {
			return &NotAllowedError{Param: p.Name, Message: fmt.Sprintf("its validation can't be evaluated: %s", err)}
		}
		if v.False() {
			return &NotAllowedError{Param: p.Name, Message: rule.Message}
		}
	}
	return nil
}

// lists reports whether the enum contains a value.
func (p *Param) lists(value json.RawMessage, t cty.Type) bool {
	v, err := read(value, t)
	for _, one := range p.Enum {
		if bytes.Equal(one, value) {
			return true
		}
		if allowed, failed := read(one, t); err == nil && failed == nil && types.Computed(allowed).RawEquals(types.Computed(v)) {
			return true
		}
	}
	return false
}

func read(value json.RawMessage, t cty.Type) (cty.Value, error) {
	if string(value) == "null" {
		return cty.NullVal(t), nil
	}
	return types.FromJSON(value, t)
}
