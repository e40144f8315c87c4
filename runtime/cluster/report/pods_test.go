package report_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

func TestPods(t *testing.T) {
	value := func(text string) program.Value { return program.Value{Const: raw(text)} }
	pod := json.RawMessage(`{"spec": {"serviceAccountName": "p-steps", "containers": [{"name": "main", "image": "busybox:1",
		"resources": {"requests": {"memory": "64Mi", "cpu": "0.5"}, "limits": {"memory": "64Mi", "nvidia.com/gpu": "1"}}}]}}`)
	args := &program.Value{Expr: &expr.Expr{Text: `{ "max_depth" = param.depth, name = "a b", all = true, b = 2, "-v" = param.x[0] }`}}
	large := json.RawMessage(`{"spec": {"containers": [{"name": "main", "image": "cuda:1"}]}}`)
	p := &program.Program{
		Steps: []program.Step{
			{Name: "train", Command: []program.Value{value(`"sh"`), value(`"echo a b"`), {Ref: "param.x"}}, Pod: pod},
			{Name: "fit", Script: "fit.py", Args: args, Pod: pod},
			{Name: "sized", Python: "m:f", Pod: pod, VariantParams: []string{"gpu", "size"}, Variants: []program.Variant{{Pod: pod}, {Pod: large}}, Variant: map[string]int{
				`[false,"s"]`: 0, `[true,"s"]`: 1, `[true,null]`: 1}},
			{Name: "each", Python: "m:f", Pod: pod, Variants: []program.Variant{{Pod: large}}, Variant: map[string]int{"1": 0, "2": 0, "3": 0, "4": 0, "5": 0, "6": 0}},
			{Name: "ask", Approval: &program.Approval{}},
			{Name: "call", Call: &program.Call{Pipeline: "inner"}},
		},
		Called: []program.Called{{Name: "inner", Steps: []program.Step{{Name: "load", Python: "steps:load", Pod: json.RawMessage(`{}`)}}}},
	}
	got, err := report.Pods(p, []report.Leave{{Step: "load", Reasons: []string{"a", "b"}}})
	want := []report.Pod{
		{Step: "train", Image: "busybox:1", Command: "sh 'echo a b' ${param.x}", Resources: "cpu 500m, memory 64Mi, limit nvidia.com/gpu 1", Security: "restricted", Account: "p-steps"},
		{Step: "fit", Image: "busybox:1", Command: "python fit.py --all --b=2 --max-depth=${param.depth} --name='a b' -v=${param.x[0]}", Resources: "cpu 500m, memory 64Mi, limit nvidia.com/gpu 1", Security: "restricted", Account: "p-steps"},
		{Step: "sized", For: `param.gpu = false, param.size = "s"`, Image: "busybox:1", Command: "python m:f", Resources: "cpu 500m, memory 64Mi, limit nvidia.com/gpu 1", Security: "restricted", Account: "p-steps"},
		{Step: "sized", For: `param.gpu = true, param.size = "s"; or param.gpu = true, param.size = null`, Image: "cuda:1", Command: "python m:f", Security: "restricted"},
		{Step: "each", Image: "busybox:1", Command: "python m:f", Resources: "cpu 500m, memory 64Mi, limit nvidia.com/gpu 1", Security: "restricted", Account: "p-steps"},
		{Step: "each", For: "each.key = 1; or each.key = 2; or each.key = 3; or each.key = 4; or 2 more", Image: "cuda:1", Command: "python m:f", Security: "restricted"},
		{Step: "inner.load", Command: "python steps:load", Security: "a, b"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	p.Steps[0].Pod = json.RawMessage(`{"spec": 1}`)
	if _, err := report.Pods(p, nil); err == nil {
		t.Error("a pod that can't be read is accepted")
	}
}
