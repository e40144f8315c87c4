package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/runtime/cluster/report"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/schedule"
)

var update = flag.Bool("update", false, "rewrite the expected texts")

func raw(text string) json.RawMessage {
	if text == "" {
		return nil
	}
	return json.RawMessage(text)
}

func field(path, before, after string) cluster.Field {
	return cluster.Field{Path: path, Before: raw(before), After: raw(after)}
}

func example() *report.Report {
	berlin := time.FixedZone("CET", 3600)
	r := &report.Report{
		Stack: "k8s", Context: "admin", Host: "https://10.0.0.1:6443", Namespace: "ml", Project: "digits",
		Pipelines: []report.Pipeline{
			{Name: "by_hand", Steps: 1},
			{Name: "first", Steps: 2, Pods: []report.Pod{
				{Step: "train", Image: "busybox:1@sha256:00", Command: "sh -c 'echo ${param.x}'", Resources: "cpu 500m, limit memory 1Gi", Security: "restricted", Account: "first-steps"},
				{Step: "called.load", Image: "busybox:1", Command: "python steps:load", Security: "privileged (container \"main\")"},
			}},
			{Name: "nightly", Steps: 4, Schedules: []report.Schedule{{
				Cron: "30 2 * * *", Timezone: "Europe/Berlin", Next: []time.Time{time.Date(2026, 11, 25, 2, 30, 0, 0, berlin), time.Date(2026, 11, 26, 2, 30, 0, 0, berlin)},
				Gap: &schedule.Gap{At: "2027-03-28 02:30", Zone: "Europe/Berlin"},
			}}, Pods: []report.Pod{
				{Step: "load", Image: "busybox:1", Command: "python steps:load", Security: "restricted"},
				{Step: "train", Image: "busybox:1", Command: "python steps:train", Security: "restricted"},
			}, Restricted: []report.Leave{{Step: "train", Reasons: []string{"privileged (container \"main\")", "host namespaces"}}}},
			{Name: "paused", Steps: 2, Approvals: []string{"inner.ok", "promote"}, Schedules: []report.Schedule{
				{Name: "daily", Cron: "0 3 * * *", Timezone: "UTC", Suspend: true},
				{Name: "weekly", Cron: "0 5 * * 0", Timezone: "UTC", Suspend: true, Params: map[string]json.RawMessage{"size": json.RawMessage("3"), "data": json.RawMessage(`"all"`)}},
			}},
			{Name: "never", Steps: 2, Schedules: []report.Schedule{{Cron: "0 0 30 2 *", Timezone: "UTC"}}},
		},
		Notes: []string{"code steps has changed since it was pushed"},
	}
	long := `"` + strings.Repeat("x", 200) + "A" + strings.Repeat("y", 200) + `"`
	other := `"` + strings.Repeat("x", 200) + "B" + strings.Repeat("y", 200) + `"`
	r.List = []cluster.Change{
		{Action: cluster.Create, Kind: "CronJob", Name: "first", Pipeline: "first", Fields: []cluster.Field{field("spec.suspend", "", "true")}},
		{Action: cluster.Create, Kind: "ConfigMap", Name: "nightly-2", Pipeline: "nightly", Fields: []cluster.Field{field("immutable", "", "true")}},
		{Action: cluster.Update, Kind: "CronJob", Name: "nightly", Pipeline: "nightly", Conflicts: []cluster.Conflict{{Field: "spec.suspend", Manager: "somebody"}},
			Warnings: []string{"would violate PodSecurity"},
			Fields:   []cluster.Field{field("spec.suspend", "true", "false"), field("spec.timeZone", "", `"UTC"`), field("spec.x", `["a"]`, ""), field("spec.y", long, other)}},
		{Action: cluster.Replace, Kind: "RoleBinding", Name: "nightly-run", Pipeline: "nightly", Fields: []cluster.Field{field("roleRef.name", `"a"`, `"b"`)}},
		{Action: cluster.Unchanged, Kind: "CronJob", Name: "by-hand", Pipeline: "by_hand"},
		{Action: cluster.Delete, Kind: "CronJob", Name: "old", Pipeline: "old"},
		{Action: cluster.Keep, Kind: "ConfigMap", Name: "nightly-1", Pipeline: "nightly", Why: "nightly-run-7"},
	}
	r.Programs = []cluster.ProgramChange{{Pipeline: "nightly", Fields: []cluster.Field{
		field(`finally["told"].name`, `"told"`, ""), field(`finally["told"].code`, `"src"`, ""),
		field(`params["limit"].default`, "", "1"), field(`params["limit"].name`, "", `"limit"`),
		field(`schedules[0].cron`, "", `"0 6 * * mon"`), field(`schedules[0].timezone`, "", `"UTC"`), field(`schedules[1].name`, "", `"late"`),
		field(`steps["load"].name`, "", `"load"`), field(`steps["load"].pod.spec.x`, "", `"y"`),
		field(`steps["train"].retry.attempts`, "3", "5"), field(`steps["train"].pod.spec.nodeSelector.a`, `"b"`, `"c"`),
	}}}
	r.Count()
	return r
}

func TestText(t *testing.T) {
	empty := &report.Report{Stack: "k8s", Context: "admin", Host: "https://10.0.0.1:6443", Namespace: "ml"}
	gone := &report.Report{Stack: "k8s", Namespace: "ml", Destroy: true}
	destroyed := &report.Report{Stack: "k8s", Context: "admin", Host: "https://10.0.0.1:6443", Namespace: "ml", Destroy: true, Runs: []string{"a-1"}}
	destroyed.List = []cluster.Change{{Action: cluster.Delete, Kind: "CronJob", Name: "a"}, {Action: cluster.Keep, Kind: "Role", Name: "a-run", Why: "a-1"}}
	destroyed.Count()
	offline := &report.Report{Stack: "k8s", Namespace: "ml", Offline: true}
	offline.List = []cluster.Change{{Action: cluster.Write, Kind: "CronJob", Name: "a", Fields: []cluster.Field{field("spec.suspend", "", "true")}}}
	offline.Count()
	for _, c := range []struct {
		name string
		r    *report.Report
		o    report.Options
	}{
		{"plan", example(), report.Options{}},
		{"plan-full", example(), report.Options{Full: true}},
		{"plan-color", example(), report.Options{Color: true}},
		{"unchanged", empty, report.Options{}},
		{"nothing-to-destroy", gone, report.Options{}},
		{"destroy", destroyed, report.Options{}},
		{"offline", offline, report.Options{}},
		{"offline-full", offline, report.Options{Full: true}},
	} {
		var b bytes.Buffer
		if err := report.Text(&b, c.r, c.o); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", c.name+".txt")
		if *update {
			if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(want, b.Bytes()) {
			t.Errorf("%s: %v; -update rewrites it:\n%s", c.name, err, b.String())
		}
	}
}

// The document has the field names that the docs promise.
func TestDocument(t *testing.T) {
	data, err := json.Marshal(example())
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Version   int
		Stack     string
		Pipelines []struct {
			Name      string
			Pods      []report.Pod
			Schedules []struct {
				Next []time.Time
				Gap  *struct{ At string }
			}
		}
		Changes []struct {
			Action, Kind, Name string
			Fields             []struct {
				Path          string
				Before, After any
			}
			Conflicts []struct{ Field, Manager string }
		}
		Programs []struct{ Pipeline string }
		Summary  struct{ Create, Change, Delete, Keep, Unchanged, Conflicts int }
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Version != report.Version || got.Stack != "k8s" || len(got.Pipelines) != 5 || got.Pipelines[2].Schedules[0].Gap.At == "" || len(got.Pipelines[2].Schedules[0].Next) != 2 || len(got.Pipelines[3].Schedules) != 2 ||
		len(got.Pipelines[1].Pods) != 2 || got.Pipelines[1].Pods[0].Resources == "" ||
		len(got.Changes) != 7 || got.Changes[2].Action != "update" || got.Changes[2].Fields[0].Path != "spec.suspend" || got.Changes[2].Fields[0].After != false ||
		got.Changes[2].Conflicts[0].Manager != "somebody" || got.Programs[0].Pipeline != "nightly" {
		t.Errorf("%s", data)
	}
	if s := got.Summary; s.Create != 2 || s.Change != 2 || s.Delete != 1 || s.Keep != 1 || s.Unchanged != 1 || s.Conflicts != 1 {
		t.Errorf("%+v", s)
	}
}

func TestDescribe(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	p := &program.Program{Pipeline: "p", Steps: make([]program.Step, 3), Finally: make([]program.Step, 1)}
	d, err := report.Describe(p, now)
	if err != nil || d.Name != "p" || d.Steps != 4 || d.Schedules != nil {
		t.Errorf("%+v, %v", d, err)
	}
	p.Schedules = []program.Schedule{{Cron: "30 2 * * *", Timezone: "Europe/Berlin"}}
	if d, err = report.Describe(p, now); err != nil || len(d.Schedules) != 1 || len(d.Schedules[0].Next) != 3 || d.Schedules[0].Gap == nil {
		t.Errorf("%+v, %v", d, err)
	}
	p.Schedules[0].Suspend = true
	if d, err = report.Describe(p, now); err != nil || d.Schedules[0].Next != nil {
		t.Errorf("%+v, %v", d, err)
	}
	p.Schedules = []program.Schedule{{Cron: "junk", Timezone: "UTC"}}
	if d, err = report.Describe(p, now); err == nil {
		t.Errorf("%+v", d)
	}
}
