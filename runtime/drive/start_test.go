package drive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pipec.dev/pipec/runtime/imports"
	"pipec.dev/pipec/runtime/lastsuccess"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/runtime/rerun"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func TestAsRefusal(t *testing.T) {
	other := errors.New("the disk is full")
	for name, c := range map[string]struct {
		err         error
		environment bool
		want        Refusal // without a code: the error is not a refusal
	}{
		"params":                {&params.Error{Message: "m", Hint: "h"}, false, Refusal{RefusedParam, "m", "h", ""}},
		"step":                  {&rerun.UnknownStepError{Step: "x"}, false, Refusal{RefusedStep, `there is no step "x" in this pipeline`, "", ""}},
		"last success":          {fmt.Errorf("%w", &lastsuccess.Missing{Message: "m", Hint: "h"}), false, Refusal{RefusedLastSuccess, "m", "h", ""}},
		"import":                {&imports.Fault{Message: "m"}, false, Refusal{RefusedImport, "m", "", ""}},
		"import, disk":          {&imports.Fault{Message: "m", Environment: true}, false, Refusal{}},
		"import, disk, pod":     {&imports.Fault{Message: "m", Environment: true}, true, Refusal{RefusedImport, "m", "", record.ReasonImport}},
		"import, to be retried": {&imports.Fault{Message: "m", Environment: true, Again: true}, true, Refusal{}},
		"other":                 {other, true, Refusal{}},
	} {
		got := AsRefusal(c.err)
		if c.environment {
			got = refuseImport(c.err)
		}
		var r *Refusal
		switch {
		case c.want.Code == "" && !errors.Is(got, c.err):
			t.Errorf("%s: %v", name, got)
		case c.want.Code != "" && (!errors.As(got, &r) || *r != c.want):
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestPrepare(t *testing.T) {
	r := newRoom(t, program.Step{Name: "a"}, program.Step{Name: "b", Needs: []program.Need{{Step: "a"}}}, program.Step{Name: "c"})
	r.c.Program.Params = []program.Param{{Name: "n", Type: "number"}}
	of := &record.Run{Version: 1, Name: "of", Pipeline: "p", Namespace: "n"}
	end := &record.End{Version: 1, Status: record.Failed, Steps: []record.StepEnd{
		{Name: "a", Status: record.Succeeded, Attempt: 1}, {Name: "b", Status: record.Failed, Attempt: 1},
	}}
	r.put(of.EndKey(), end)
	equipped := false
	s := Start{
		Request: Request{Params: map[string]json.RawMessage{"n": []byte("1")}, Only: []string{"b"}, Of: of, Kept: []string{"a"}},
		Equip: func(context.Context) error {
			equipped = r.c.Record.Params != nil
			return nil
		},
	}
	kept, err := s.Prepare(t.Context(), r.c.Store, r.c.Program, r.c.Record)
	if err != nil {
		t.Fatal(err)
	}
	if len(kept) != 1 || kept[0].Type != record.StepKept || kept[0].Step != "a" || kept[0].From != "of" {
		t.Errorf("%+v", kept)
	}
	run := r.c.Record
	if !equipped || string(run.Params["n"]) != "1" || !slices.Equal(run.Only, []string{"a", "b"}) || run.RerunOf != "of" || !slices.Equal(run.Kept, []string{"a"}) {
		t.Errorf("%+v, equipped: %v", run, equipped)
	}
	s.Params = nil
	var refusal *Refusal
	if _, err := s.Prepare(t.Context(), r.c.Store, r.c.Program, &record.Run{}); !errors.As(err, &refusal) || refusal.Code != RefusedParam {
		t.Errorf("without a param: %v", err)
	}
}
