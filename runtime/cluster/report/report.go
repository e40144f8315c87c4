// Package report presents a plan for plan, apply and destroy: a document, which `pipec plan -o json` prints, and text
// that is generated from the document. It makes no comparisons and no requests.
package report

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/schedule"
)

// Version is the version of the document's format. New fields may be added; existing fields keep their meaning.
const Version = 1

// Report is the document of a plan.
type Report struct {
	Version   int    `json:"version"`
	Stack     string `json:"stack"`
	Context   string `json:"context,omitempty"` // absent if Offline, like the next two
	Host      string `json:"host,omitempty"`
	Namespace string `json:"namespace"`
	Project   string `json:"project,omitempty"`
	// Offline is set if the plan was not compared with a cluster.
	Offline bool `json:"offline,omitempty"`
	// Destroy is set if the plan removes the definitions.
	Destroy   bool       `json:"destroy,omitempty"`
	Pipelines []Pipeline `json:"pipelines,omitempty"`
	cluster.Changes
	Summary Summary  `json:"summary"`
	Runs    []string `json:"live_runs,omitempty"` // of a destroy: runs that continue
	Notes   []string `json:"notes,omitempty"`
}

// Summary counts the changes by action. Replace counts as a change.
type Summary struct {
	Create    int `json:"create"`
	Change    int `json:"change"`
	Delete    int `json:"delete"`
	Keep      int `json:"keep"`
	Unchanged int `json:"unchanged"`
	Conflicts int `json:"conflicts"` // fields that other field managers own
}

// Pipeline is a pipeline that is applied.
type Pipeline struct {
	Name  string `json:"name"`
	Steps int    `json:"steps"` // including those of finally
	// Schedules is empty if runs are only started by hand.
	Schedules []Schedule `json:"schedules,omitempty"`
	// Run is what a run would do now; set if a step is cached.
	Run *Run `json:"run,omitempty"`
	// Approvals are the steps that wait for an approval, including those of called pipelines, sorted.
	Approvals []string `json:"approvals,omitempty"`
	// Pods are the pods that a run of the pipeline would start, one for each step.
	Pods []Pod `json:"pods,omitempty"`
	// Restricted are the steps that violate Pod Security `restricted`.
	Restricted []Leave `json:"leave_restricted,omitempty"`
}

// Run is what a run would do if it started now, with the params of the schedule and the defaults.
type Run struct {
	Cached []string `json:"cached"` // steps with a result of an earlier run
	Run    []string `json:"run"`    // steps that will certainly run; nothing is known about the steps that depend on them
}

// Leave is a step that violates Pod Security `restricted`, and why.
type Leave struct {
	Step    string   `json:"step"`
	Reasons []string `json:"reasons"`
}

// Schedule is when a pipeline is started.
type Schedule struct {
	Name     string `json:"name,omitempty"` // "": the only one, without a name
	Cron     string `json:"cron"`
	Timezone string `json:"timezone"`
	Suspend  bool   `json:"suspend,omitempty"`
	// Params are the values with which the schedule starts runs.
	Params map[string]json.RawMessage `json:"params,omitempty"`
	Next   []time.Time                `json:"next,omitempty"` // in the time zone; empty if suspended
	// Gap is a time within a year that daylight saving skips.
	Gap *schedule.Gap `json:"gap,omitempty"`
}

// nextTimes is how many start times are shown.
const nextTimes = 3

// Describe returns the description of a program's pipeline, with the start times after now.
func Describe(p *program.Program, now time.Time) (Pipeline, error) {
	out := Pipeline{Name: p.Pipeline, Steps: len(p.All()), Approvals: approvals(p)}
	for i := range p.Schedules {
		s, err := describe(&p.Schedules[i], now)
		if err != nil {
			return out, err
		}
		out.Schedules = append(out.Schedules, s)
	}
	return out, nil
}

func describe(s *program.Schedule, now time.Time) (out Schedule, err error) {
	out = Schedule{Name: s.Name, Cron: s.Cron, Timezone: s.Timezone, Suspend: s.Suspend, Params: s.Params}
	if !s.Suspend {
		if out.Next, err = schedule.Next(s, now, nextTimes); err != nil {
			return out, err
		}
	}
	if gap, ok := schedule.FirstGap(s, now); ok {
		out.Gap = &gap
	}
	return out, nil
}

// approvals returns the steps that wait for an approval, each once, even if a pipeline is called several times.
func approvals(p *program.Program) []string {
	var out []string
	for _, s := range p.All() {
		if s.Approval != nil {
			out = append(out, s.Name)
		}
	}
	for i := range p.Called {
		c := &p.Called[i]
		name, _, _ := strings.Cut(c.Name, " ")
		for _, steps := range [][]program.Step{c.Steps, c.Finally} {
			for j := range steps {
				if steps[j].Approval != nil {
					out = append(out, name+"."+steps[j].Name)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// isNew reports whether the pipeline is applied for the first time, as far as is known.
func (r *Report) isNew(pipeline string) bool {
	return slices.ContainsFunc(r.List, func(c cluster.Change) bool {
		return c.Kind == "CronJob" && c.Pipeline == pipeline && c.Name == kube.CronJobName(pipeline) && (c.Action == cluster.Create || c.Action == cluster.Write)
	})
}

// Count fills the summary from the changes.
func (r *Report) Count() {
	r.Version = Version
	r.Summary = Summary{
		Create: r.Changes.Count(cluster.Create, cluster.Write), Change: r.Changes.Count(cluster.Update, cluster.Replace),
		Delete: r.Changes.Count(cluster.Delete), Keep: r.Changes.Count(cluster.Keep), Unchanged: r.Changes.Count(cluster.Unchanged),
	}
	for _, ch := range r.Conflicts() {
		r.Summary.Conflicts += len(ch.Conflicts)
	}
}
