package engine

import (
	"encoding/json"
	"fmt"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// withPod returns the node's step with the pod for its instance and for the params of its pipeline. key is that of the instance.
func (ev *evaluator) withPod(n *node, key string) (*program.Step, *fault) {
	var values []json.RawMessage
	for _, name := range n.step.VariantParams {
		ref := "param." + name
		r := reader{ev: ev, node: n, value: &program.Value{Ref: ref}}
		v, err := r.lookup(ref)
		var data json.RawMessage
		if err == nil {
			data, err = types.ToJSON(types.Computed(v))
		}
		if err != nil {
			return nil, &fault{reason: record.ReasonExpression, message: err.Error()}
		}
		values = append(values, data)
	}
	out, ok := n.step.Chosen(program.VariantKey(key, values))
	if !ok {
		at := ""
		for i, name := range n.step.VariantParams {
			at += fmt.Sprintf(", param.%s = %s", name, values[i])
		}
		return nil, &fault{reason: record.ReasonExpression, message: "the step has no pod for " + at[2:]}
	}
	return out, nil
}
