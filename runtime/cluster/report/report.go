// Package report is what plan, apply and destroy show: a document, which `pipec plan --json` prints, and the text that is
// drawn from it. It compares nothing and asks nobody.
package report

import (
	"slices"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/cluster"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/schedule"
)

// Version is the version of the document's form. Fields may be added to it; what is there keeps its meaning.
const Version = 1

// Report is a plan as it is shown.
type Report struct {
	Version   int    `json:"version"`
	Stack     string `json:"stack"`
	Context   string `json:"context,omitempty"` // not offline, as the following
	Host      string `json:"host,omitempty"`
	Namespace string `json:"namespace"`
	Project   string `json:"project,omitempty"`
	// Offline says that nothing was compared.
	Offline bool `json:"offline,omitempty"`
	// Destroy says that what is there is removed.
	Destroy   bool       `json:"destroy,omitempty"`
	Pipelines []Pipeline `json:"pipelines,omitempty"`
	cluster.Changes
	Summary Summary  `json:"summary"`
	Runs    []string `json:"live_runs,omitempty"` // of a destroy: runs that go on
	Notes   []string `json:"notes,omitempty"`
}

// Summary counts the changes by their actions. Replace counts as a change.
type Summary struct {
	Create    int `json:"create"`
	Change    int `json:"change"`
	Delete    int `json:"delete"`
	Keep      int `json:"keep"`
	Unchanged int `json:"unchanged"`
	Conflicts int `json:"conflicts"` // fields that others manage
}

// Pipeline is a pipeline that is applied.
type Pipeline struct {
	Name  string `json:"name"`
	Steps int    `json:"steps"` // those of finally too
	// Schedule is absent where runs are started by hand.
	Schedule *Schedule `json:"schedule,omitempty"`
	// Run is what a run now would do, where a step is cached.
	Run *Run `json:"run,omitempty"`
	// Approvals are the steps that wait for somebody's answer, those of pipelines that are called too, sorted.
	Approvals []string `json:"approvals,omitempty"`
	// Restricted are the steps that leave Pod Security `restricted`.
	Restricted []Leave `json:"leave_restricted,omitempty"`
}

// Run is what a run would do that is started now, with the params of the schedule and the defaults.
type Run struct {
	Cached []string `json:"cached"` // steps whose result an earlier run has left
	Run    []string `json:"run"`    // steps that are sure to run; of what depends on them nothing can be said
}

// Leave is one step that leaves Pod Security `restricted`, and why.
type Leave struct {
	Step    string   `json:"step"`
	Reasons []string `json:"reasons"`
}

// Schedule is when a pipeline is started.
type Schedule struct {
	Cron     string      `json:"cron"`
	Timezone string      `json:"timezone"`
	Suspend  bool        `json:"suspend,omitempty"`
	Next     []time.Time `json:"next,omitempty"` // in the time zone; none where it is suspended
	// Gap is a time within a year that daylight saving leaves out.
	Gap *schedule.Gap `json:"gap,omitempty"`
}

// nextTimes is how many are shown.
const nextTimes = 3

// Describe makes the pipeline of a program, with its times after now.
func Describe(p *program.Program, now time.Time) (Pipeline, error) {
	out := Pipeline{Name: p.Pipeline, Steps: len(p.All()), Approvals: approvals(p)}
	s := p.Schedule
	if s == nil {
		return out, nil
	}
	out.Schedule = &Schedule{Cron: s.Cron, Timezone: s.Timezone, Suspend: s.Suspend}
	if !s.Suspend {
		var err error
		if out.Schedule.Next, err = schedule.Next(s, now, nextTimes); err != nil {
			return out, err
		}
	}
	if gap, ok := schedule.FirstGap(s, now); ok {
		out.Schedule.Gap = &gap
	}
	return out, nil
}

// approvals are the steps that wait for somebody, each once, however often a pipeline is called.
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
