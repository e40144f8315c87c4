package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pipec.dev/pipec/internal/app/interrupt"
	"pipec.dev/pipec/internal/app/orchestrator"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// TestList checks the list of runs and its filter.
func TestList(t *testing.T) {
	p := open(t)
	p.run("low", "rate=0.1")
	p.run("high", "rate=0.9")
	broken := filepath.Join(p.dir, "broken")
	if err := os.WriteFile(broken, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.run("bad", "rate=0.9")
	for query, want := range map[string]string{
		"":                                 "bad high low",
		"status=failed":                    "bad",
		"status=succeeded,failed&limit=2":  "bad high +",
		"pipeline=train&name=ig":           "high",
		"pipeline=none":                    "",
		"where=param.rate%3C0.5":           "low",
		"where=param.rate>=0.9":            "bad high",
		"where=output.accuracy>0.5":        "high",
		"where=output.accuracy%3D0.1":      "low",
		"where=output.accuracy!=0.1":       "bad high",
		"where=param.rate=0.9+param.dir=x": "",
		"where=param.dir>3":                "", // a text is neither more nor less than a number
		"since=1h":                         "bad high low",
		"before=1h":                        "",
		"since=2100-01-01":                 "",
		"before=2000-01-31":                "",
	} {
		var list struct {
			Runs []struct{ Name string }
			More bool
		}
		body := p.get(p.base+"/api/runs?"+query, http.StatusOK)
		if err := json.Unmarshal([]byte(body), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range list.Runs {
			got = append(got, r.Name)
		}
		if list.More {
			got = append(got, "+")
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: found %q, expected %q", query, got, want)
		}
	}
	for _, query := range []string{"where=rate>1", "where=param.rate", "where=x.y=1", "since=soon", "limit=0", "limit=x", "before=-1h"} {
		p.get(p.base+"/api/runs?"+query, http.StatusBadRequest)
	}
}

// TestRun checks what a page on a run and its steps shows.
func TestRun(t *testing.T) {
	p := open(t)
	p.run("one")
	var run struct {
		Status string
		Steps  []struct{ Name, Status string }
		Inputs []struct {
			Name  string
			Value json.RawMessage
		}
		Results  []struct{ Value json.RawMessage }
		Commands struct{ Rerun string }
	}
	p.api("run", of("one"), &run)
	if run.Status != "succeeded" || len(run.Steps) != 6 || string(run.Results[0].Value) != "0.5" || run.Commands.Rerun != "pipec rerun one -C x" || len(run.Inputs) != 2 {
		t.Errorf("the run is %+v", run)
	}
	var latest struct{ Name string }
	p.api("run", []string{"stack", "local", "run", "latest"}, &latest)
	if latest.Name != "one" {
		t.Errorf("the latest run is %q", latest.Name)
	}
	p.get(p.address("run", of("two")...), http.StatusNotFound)

	var graph struct {
		Width float64
		Nodes []struct {
			Name, Kind string
			X, Y       float64
			Many       bool
		}
		Edges   []struct{ Path string }
		Finally *struct{}
	}
	p.api("graph", of("one"), &graph)
	if len(graph.Nodes) != 5 || len(graph.Edges) != 2 || graph.Finally == nil || !strings.HasPrefix(graph.Edges[0].Path, "M") {
		t.Errorf("the graph is %+v", graph)
	}
	p.get(p.address("graph", of("one", "call", "judge")...), http.StatusNotFound)

	var line struct {
		Bars []struct {
			Step     string
			Attempt  int
			Critical bool
		}
	}
	p.api("timeline", of("one"), &line)
	var critical []string
	for _, b := range line.Bars {
		if b.Critical {
			critical = append(critical, b.Step)
		}
	}
	if len(line.Bars) != 6 || len(critical) < 3 || critical[len(critical)-1] != "clean" {
		t.Errorf("the timeline is %+v", line)
	}

	var step struct {
		Tries  []struct{ Status string }
		Needs  []struct{ Step string }
		Inputs []struct {
			Name, From string
			Datum      *struct{ View, Digest string }
		}
		Outputs []struct{ Name, View string }
		Defined struct{ Command []string }
	}
	p.api("step", of("one", "step", "judge"), &step)
	if len(step.Tries) != 1 || step.Needs[0].Step != "prepare" || step.Inputs[0].From != "step.prepare.page" || step.Inputs[0].Datum.View != "html" || step.Defined.Command[0] != "sh" {
		t.Errorf("the step is %+v", step)
	}
	if got := p.get(p.address("step", of("one", "step", "judg")...), http.StatusNotFound); !strings.Contains(got, `did you mean \"judge\"`) {
		t.Errorf("an unknown step: %s", got)
	}
	if got := p.get(p.address("content", of("one", "step", "judge", "side", "in", "name", "page", "as", "text")...), http.StatusOK); !strings.HasPrefix(got, "<b>hi") {
		t.Errorf("the input is %q", got)
	}
	if got := p.get(p.address("content", of("one", "side", "in", "name", "rate")...), http.StatusOK); got != "0.5" {
		t.Errorf("the param is %q", got)
	}
	if got := p.get(p.address("content", of("one", "side", "out", "name", "accuracy")...), http.StatusOK); got != "0.5" {
		t.Errorf("the output is %q", got)
	}
	var files struct {
		Total int
		Files []struct{ Path, Link, View string }
	}
	p.api("files", of("one", "step", "prepare", "side", "out", "name", "files"), &files)
	if files.Total != 2 || files.Files[0].Link != "sub/a.txt" || files.Files[1].View != "text" {
		t.Errorf("the files are %+v", files)
	}
}

// TestLog checks parts of a log, and that its stream ends with an ended run.
func TestLog(t *testing.T) {
	p := open(t)
	p.run("one")
	var log struct {
		Total int
		Lines []struct {
			N int
			T string
		}
	}
	p.api("log", of("one", "step", "prepare", "attempt", "1"), &log)
	if log.Total != 2 || log.Lines[1].N != 2 || log.Lines[1].T != "two" {
		t.Errorf("the log is %+v", log)
	}
	p.api("log", of("one", "step", "prepare", "from", "2"), &log)
	if len(log.Lines) != 1 || log.Lines[0].N != 2 {
		t.Errorf("the second line is %+v", log)
	}
	var names []string
	p.stream(p.address("follow", of("one", "step", "prepare")...), func(e event) bool {
		names = append(names, e.name)
		return true
	})
	if strings.Join(names, " ") != "log end" {
		t.Errorf("the events are %q", names)
	}
	p.get(p.address("log", of("one")...), http.StatusBadRequest)
	p.get(p.address("log", of("one", "step", "prepare", "attempt", "x")...), http.StatusBadRequest)
}

// TestActs follows a run, approves a step from the page, follows its log, and cancels the run.
func TestActs(t *testing.T) {
	p := open(t)
	runner, err := opened(p.dir).Runner()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan *record.End, 1)
	go func() {
		out, err := runner.Start(t.Context(), &orchestrator.StartRequest{Pipeline: "gate", Name: "g"})
		if err != nil {
			t.Error(err)
		}
		ended <- out.End
	}()
	gate := []string{"stack", "local", "pipeline", "gate", "run", "g"}
	// The list shows the run as soon as it is there.
	p.stream(p.address("live"), func(e event) bool { return !strings.Contains(e.data, `"g"`) })
	p.stream(p.address("live", gate...), func(e event) bool { return !strings.Contains(e.data, `"asks":true`) })
	body := `{"stack":"local","pipeline":"gate","run":"g","step":"ask"`
	if got := p.act("answer", body+`,"valued":true,"value":"@/etc/passwd"}`, http.StatusBadRequest); strings.Contains(got, "root") {
		t.Error(got)
	}
	p.act("answer", body+`}`, http.StatusBadRequest) // it needs a value
	p.act("answer", body+`,"valued":true,"value":"prod","reason":"looks good"}`, http.StatusOK)
	p.stream(p.address("live", gate...), func(e event) bool {
		return !strings.Contains(e.data, `"name":"wait","status":"running"`)
	})
	p.act("cancel", `{"stack":"local","pipeline":"gate","run":"g"}`, http.StatusOK)
	last := ""
	p.stream(p.address("live", gate...), func(e event) bool { last = e.name; return true })
	if last != "end" {
		t.Errorf("the last event is %q", last)
	}
	if end := <-ended; end == nil || end.Status != record.Cancelled {
		t.Errorf("the end is %+v", end)
	}
	var x struct {
		Answer record.Answer
	}
	p.api("step", append(gate, "step", "ask"), &x)
	if x.Answer.Reason != "looks good" || string(x.Answer.Value) != `"prod"` {
		t.Errorf("the answer is %+v", x.Answer)
	}
	p.act("cancel", `{"stack":"local","pipeline":"gate","run":"g"}`, http.StatusUnprocessableEntity)
}

// TestRerun reruns a failed run from the page, which drives it.
func TestRerun(t *testing.T) {
	p := open(t)
	broken := filepath.Join(p.dir, "broken")
	if err := os.WriteFile(broken, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.run("bad")
	if err := os.Remove(broken); err != nil {
		t.Fatal(err)
	}
	body := `{"stack":"local","pipeline":"train","run":"bad"}`
	if got := p.act("plan", body, http.StatusOK); !strings.Contains(got, `{"step":"judge","keep":false,"why":"failed"}`) || !strings.Contains(got, `"command":"pipec rerun bad -C x"`) {
		t.Errorf("the plan is %s", got)
	}
	var done struct{ Run string }
	if err := json.Unmarshal([]byte(p.act("rerun", body, http.StatusOK)), &done); err != nil || done.Run == "" || done.Run == "bad" {
		t.Fatalf("%+v, %v", done, err)
	}
	p.stream(p.address("live", of(done.Run)...), func(event) bool { return true })
	var run struct {
		Status  string
		RerunOf string `json:"rerun_of"`
	}
	p.api("run", of(done.Run), &run)
	if run.Status != "succeeded" || run.RerunOf != "bad" {
		t.Errorf("the rerun is %+v", run)
	}
	if got := p.act("rerun", fmt.Sprintf(`{"stack":"local","pipeline":"train","run":%q}`, done.Run), http.StatusUnprocessableEntity); !strings.Contains(got, "error") {
		t.Errorf("a rerun of a run that succeeded: %s", got)
	}
	// The project as it is now counts, and the page reports that it has errors.
	if err := os.WriteFile(filepath.Join(p.dir, "main.pipec.hcl"), []byte(source+"\nx {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := p.act("plan", body, http.StatusUnprocessableEntity); !strings.Contains(got, "pipec validate") {
		t.Errorf("with errors in the files: %s", got)
	}
}

// TestEnd ends the server while it drives a rerun: the run is cancelled, and the server waits for its end.
func TestEnd(t *testing.T) {
	p := open(t)
	runner, err := opened(p.dir).Runner()
	if err != nil {
		t.Fatal(err)
	}
	in := make(chan interrupt.Interrupt, 1)
	out, err := runner.Start(t.Context(), &orchestrator.StartRequest{Pipeline: "gate", Name: "g", Interrupts: in, Watch: func(*program.Program) func(record.Event) {
		return func(e record.Event) {
			if e.Type == record.StepAsks {
				in <- interrupt.Stop
			}
		}
	}})
	if err != nil || !out.Interrupted {
		t.Fatalf("the run was not interrupted: %+v, %v", out, err)
	}
	var done struct{ Run string }
	if err := json.Unmarshal([]byte(p.act("rerun", `{"stack":"local","pipeline":"gate","run":"g"}`, http.StatusOK)), &done); err != nil {
		t.Fatal(err)
	}
	if got := p.server.Driven(); len(got) != 1 || got[0] != done.Run {
		t.Errorf("the server drives %q, expected %s", got, done.Run)
	}
	p.end()
	records, err := p.runs.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	d, err := records.Show(t.Context(), "gate", done.Run)
	if err != nil || d.Status != record.Cancelled {
		t.Errorf("the rerun is %+v, %v", d, err)
	}
}

// TestDamaged checks that a damaged record is reported, and hides no other run.
func TestDamaged(t *testing.T) {
	p := open(t)
	p.run("one")
	if err := os.WriteFile(filepath.Join(p.dir, ".pipec/store/runs/_local/train/one/end.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	got := p.get(p.address("run", of("one")...), http.StatusInternalServerError)
	if !strings.Contains(got, "end.json") || strings.Contains(got, url.QueryEscape(p.link)) {
		t.Errorf("the error is %s", got)
	}
	p.run("two")
	var list struct {
		Runs []struct{ Name, Status, Message string }
	}
	p.api("runs", nil, &list)
	if len(list.Runs) != 2 || list.Runs[0].Status != "succeeded" || list.Runs[1].Status != "damaged" || !strings.Contains(list.Runs[1].Message, "end.json") {
		t.Errorf("the list is %+v", list)
	}
}
