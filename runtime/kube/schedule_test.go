package kube

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestScheduleOfRun: a run has the params of the schedule that its Job names. A schedule that the program doesn't have refuses it.
func TestScheduleOfRun(t *testing.T) {
	for name, want := range map[string]string{"nightly": "3", "weekly": "30", "monthly": ""} {
		inBubble(t, name, func(t *testing.T) {
			value := func(n string) map[string]json.RawMessage {
				return map[string]json.RawMessage{"n": json.RawMessage(n)}
			}
			r := newRig(t, &program.Program{
				Params:    []program.Param{{Name: "n", Type: "number"}},
				Schedules: []program.Schedule{{Name: "nightly", Cron: "0 3 * * *", Params: value("3")}, {Name: "weekly", Cron: "0 3 * * 0", Params: value("30")}},
				Outputs:   []program.Result{{Name: "n", Type: "number", Value: program.Value{Ref: "param.n"}}},
			})
			r.annotate(kube.AnnotationSchedule, name)
			end, err := r.coordinate(t.Context(), r.store, "one", io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			if want == "" {
				if end.Reason != "Refused" || !strings.Contains(end.Message, `"monthly"`) {
					t.Errorf("the run ended %+v", end)
				}
				return
			}
			run, err := store.ReadJSON[record.Run](t.Context(), r.store, (&record.Run{Namespace: "ns", Pipeline: "p", Name: "run"}).RunKey())
			if err != nil || run.Schedule != name || string(run.Params["n"]) != want || len(end.Outputs) != 1 || string(end.Outputs[0].Value) != want {
				t.Errorf("the run is %+v and ended %+v, %v", run, end, err)
			}
		})
	}
}
