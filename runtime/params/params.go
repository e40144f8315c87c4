// Package params fills in the params of a run. It is the same for every driver.
package params

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// Error says why the params that were given can't be those of a run.
type Error struct {
	Message string
	Hint    string // what to do about it; may be ""
}

func (e *Error) Error() string { return e.Message }

// Fill gives every param of the program its value: the one given, else its default. The error is an *Error, which tells
// all that is wrong.
func Fill(p *program.Program, given map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(p.Params))
	declared := make(map[string]bool, len(p.Params))
	var faults, missing []string
	for i := range p.Params {
		param := &p.Params[i]
		value, ok := given[param.Name]
		declared[param.Name] = true
		switch {
		case ok:
			if err := Check(param, value); err != nil {
				faults = append(faults, fmt.Sprintf("param %q is not of its type %s: %s", param.Name, param.Type, err))
			}
			out[param.Name] = value
		case param.Default != nil:
			out[param.Name] = param.Default
		default:
			missing = append(missing, param.Name)
		}
	}
	var unknown []string
	for name := range given {
		if !declared[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		faults = append(faults, fmt.Sprintf("pipeline %s has no param %s", p.Pipeline, strings.Join(unknown, ", ")))
	}
	hint := ""
	if len(missing) > 0 {
		faults = append(faults, fmt.Sprintf("no value is given for %s, which has no default", strings.Join(missing, ", ")))
		hint = fmt.Sprintf("Give it with --param %s=VALUE.", missing[0])
	}
	if len(faults) > 0 {
		return nil, &Error{Message: strings.Join(faults, "\n"), Hint: hint}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

// Check says whether a value can be the param's.
func Check(p *program.Param, value json.RawMessage) error {
	t, err := types.ParseString(p.Type)
	if err != nil {
		return err
	}
	if string(value) == "null" && string(p.Default) == "null" {
		return nil
	}
	_, err = types.FromJSON(value, t)
	return err
}
