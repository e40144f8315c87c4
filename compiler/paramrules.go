package compiler

import (
	"encoding/json"
	"errors"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/program"
)

// paramRules reports known values that params of a program don't allow: defaults, and the values of schedules and calls. All other values
// are checked when a run or a call starts.
func paramRules(p *program.Program, places program.SourceMap, diags *diag.List) {
	check := func(q *program.Param, value json.RawMessage, what string, at hcl.Range, key string) {
		var not *program.NotAllowedError
		if value == nil || !errors.As(q.Allows(value), &not) {
			return
		}
		d := diag.New("validation", at, "%s of param %q is not allowed: %s", what, q.Name, not.Message)
		if rule := places[key]; rule != at {
			d = d.WithRelated(rule, "the param is declared here")
		}
		diags.Add(d)
	}
	for i := range p.Params {
		q := &p.Params[i]
		key := "param." + q.Name
		check(q, q.Default, "the default", places[key], key)
		for j := range p.Schedules {
			s := &p.Schedules[j]
			check(q, s.Params[q.Name], "the schedule's value", places[program.SchedulePlace(s.Name)], key)
		}
	}
	for at, s := range p.Placed() {
		if s.Call == nil {
			continue
		}
		c := p.CalledNamed(s.Call.Pipeline)
		for i := range c.Params {
			q := &c.Params[i]
			key := "called." + c.Name + ".param." + q.Name
			for _, in := range s.Inputs {
				if in.Name == q.Name {
					check(q, in.Value.Const, "the value", places[at+".input."+in.Name], key)
				}
			}
		}
	}
	for i := range p.Called {
		c := &p.Called[i]
		for j := range c.Params {
			key := "called." + c.Name + ".param." + c.Params[j].Name
			check(&c.Params[j], c.Params[j].Default, "the default", places[key], key)
		}
	}
}
