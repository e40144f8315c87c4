package local

import (
	"encoding/json"
	"sort"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// fillParams gives every param of the program its value: the one given, else its default.
func fillParams(p *program.Program, given map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	out := make(map[string]json.RawMessage, len(p.Params))
	var missing []string
	for i := range p.Params {
		param := &p.Params[i]
		value, ok := given[param.Name]
		switch {
		case ok:
			if err := checkParam(param, value); err != nil {
				return nil, refuse(RefusedParam, "param %q is not of its type %s: %s", param.Name, param.Type, err)
			}
			out[param.Name] = value
		case param.Default != nil:
			out[param.Name] = param.Default
		default:
			missing = append(missing, param.Name)
		}
	}
	if len(missing) > 0 {
		return nil, refuse(RefusedParam, "no value is given for %s, which has no default", strings.Join(missing, ", ")).
			hint("Give it with --param %s=VALUE.", missing[0])
	}
	var unknown []string
	for name := range given {
		if _, ok := out[name]; !ok {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		sort.Strings(unknown)
		return nil, refuse(RefusedParam, "pipeline %s has no param %s", p.Pipeline, strings.Join(unknown, ", "))
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, nil
}

func checkParam(p *program.Param, value json.RawMessage) error {
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
