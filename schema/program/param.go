package program

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/types"
)

// Rule is a condition that the value of a param must satisfy, and the message if it doesn't. Both read param.NAME.
type Rule struct {
	Condition Value `json:"condition"`
	Message   Value `json:"message"`
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
	lookup := func(string) (cty.Value, error) { return read(value, t) }
	for i := range p.Rules {
		rule := &p.Rules[i]
		v, err := rule.Condition.EvalAs(lookup, cty.Bool)
		if err != nil {
			return &NotAllowedError{Param: p.Name, Message: fmt.Sprintf("its validation can't be evaluated: %s", err)}
		}
		if v.False() {
			return &NotAllowedError{Param: p.Name, Message: rule.message(lookup)}
		}
	}
	return nil
}

// message returns the text for a value that doesn't satisfy the rule.
func (r *Rule) message(lookup expr.Lookup) string {
	v, err := r.Message.EvalAs(lookup, cty.String)
	if err != nil {
		return fmt.Sprintf("its validation failed, and its error_message can't be evaluated: %s", err)
	}
	v, _ = v.Unmark()
	return v.AsString()
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
