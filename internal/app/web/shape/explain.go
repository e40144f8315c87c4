package shape

import (
	"encoding/json"
	"time"

	"pipec.dev/pipec/runtime/runs"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Explanation is all that the page shows about a step.
type Explanation struct {
	Step
	Run      string         `json:"run"`
	Pipeline string         `json:"pipeline"`
	Of       string         `json:"of,omitempty"` // the run that the result is from, if it is another one
	Reason   string         `json:"reason,omitempty"`
	Message  string         `json:"message,omitempty"`
	Because  string         `json:"because,omitempty"`
	When     string         `json:"when,omitempty"`
	ReadyAt  time.Time      `json:"ready_at,omitzero"`
	Cache    *Cache         `json:"cache,omitempty"`
	Needs    []runs.Need    `json:"needs,omitempty"`
	Inputs   []StepInput    `json:"inputs,omitempty"`
	Outputs  []Datum        `json:"outputs,omitempty"`
	Tries    []Attempt      `json:"tries,omitempty"` // its attempts
	Retry    int            `json:"retry,omitempty"`
	Parts    []Step         `json:"parts,omitempty"`
	Ask      *record.Ask    `json:"ask,omitempty"`
	Answer   *record.Answer `json:"answer,omitempty"`
	Defined  *Definition    `json:"defined,omitempty"`
	Terminal []string       `json:"terminal"` // commands that show the same
	Approve  string         `json:"approve,omitempty"`
	Reject   string         `json:"reject,omitempty"`
}

// StepInput is an input of a step.
type StepInput struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	From  string `json:"from"` // an expression
	Datum *Datum `json:"datum,omitempty"`
}

// Cache is what was found in the cache.
type Cache struct {
	Hit     bool     `json:"hit,omitempty"`
	Run     string   `json:"run,omitempty"` // the run that the key was compared with, or that the result is from
	Changed []string `json:"changed,omitempty"`
	Why     string   `json:"why,omitempty"`
}

// Attempt is an attempt that has ended.
type Attempt struct {
	Attempt   int           `json:"attempt"`
	Status    record.Status `json:"status"`
	Class     record.Class  `json:"class,omitempty"`
	ExitCode  *int          `json:"exit_code,omitempty"`
	Signal    string        `json:"signal,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Message   string        `json:"message,omitempty"`
	Node      string        `json:"node,omitempty"`
	StartedAt time.Time     `json:"started_at"`
	EndedAt   time.Time     `json:"ended_at"`
	Bytes     int64         `json:"bytes"` // of its log
}

// Definition is what the program of the run says about a step.
type Definition struct {
	Doc     string          `json:"doc,omitempty"`
	Command []string        `json:"command,omitempty"`
	Python  string          `json:"python,omitempty"`
	Script  string          `json:"script,omitempty"`
	Image   string          `json:"image,omitempty"`
	Code    string          `json:"code,omitempty"`
	Call    string          `json:"call,omitempty"`
	Env     [][2]string     `json:"env,omitempty"`
	Secrets []string        `json:"secrets,omitempty"` // the names of variables whose values are secrets
	Pod     json.RawMessage `json:"pod,omitempty"`
}

// Explain returns what is known about a step. p may be nil.
func Explain(x *runs.Explanation, p *program.Program) *Explanation {
	s := &x.Step
	out := &Explanation{
		Step: NewStep(s), Run: x.Run, Pipeline: x.Pipeline, Reason: s.Reason, Message: s.Message, Because: s.Because, When: x.When,
		ReadyAt: x.ReadyAt, Needs: x.Needs, Outputs: NewData(s.Outputs), Retry: x.Retry, Parts: NewSteps(x.Parts), Ask: s.Ask, Answer: s.Answer,
		Cache: cache(s), Defined: define(runs.StepOf(p, s.Name)),
	}
	if s.Run != x.Run {
		out.Of = s.Run
	}
	for i := range x.Inputs {
		in := &x.Inputs[i]
		one := StepInput{Name: in.Name, Type: in.Type, From: record.Shorten(in.From, 1000)}
		if in.Is != nil {
			d := NewDatum(in.Is)
			one.Datum = &d
		}
		out.Inputs = append(out.Inputs, one)
	}
	for i := range x.Attempts {
		a := &x.Attempts[i]
		out.Tries = append(out.Tries, Attempt{
			Attempt: a.Attempt, Status: a.Status, Class: a.Class, ExitCode: a.ExitCode, Signal: a.Signal, Reason: a.Reason, Message: a.Message,
			Node: a.Node, StartedAt: a.StartedAt, EndedAt: a.EndedAt, Bytes: a.Log.Bytes,
		})
	}
	return out
}

func cache(s *record.StepEnd) *Cache {
	switch {
	case s.Cache == nil:
		return nil
	case s.Cached:
		return &Cache{Hit: true, Run: s.Run}
	}
	return &Cache{Run: s.Cache.Run, Changed: s.Cache.Changed, Why: s.Cache.Why}
}

func define(s *program.Step) *Definition {
	if s == nil {
		return nil
	}
	d := &Definition{Doc: s.Doc, Python: s.Python, Script: s.Script, Image: s.Image, Code: s.Code, Pod: s.Pod}
	for i := range s.Command {
		d.Command = append(d.Command, text(&s.Command[i]))
	}
	if s.CommandList != nil {
		d.Command = append(d.Command, text(s.CommandList))
	}
	if s.Args != nil {
		d.Command = append(d.Command, text(s.Args))
	}
	if s.Call != nil {
		d.Call = s.Call.Pipeline
	}
	for i := range s.Env {
		d.Env = append(d.Env, [2]string{s.Env[i].Name, text(&s.Env[i].Value)})
	}
	for i := range s.SecretEnv {
		d.Secrets = append(d.Secrets, s.SecretEnv[i].Name)
	}
	return d
}

// text returns a value as users write it: a constant string without quotes, or an expression.
func text(v *program.Value) string {
	var s string
	switch {
	case v.Expr != nil:
		return v.Expr.Text
	case v.Ref != "":
		return v.Ref
	case json.Unmarshal(v.Const, &s) == nil:
		return s
	}
	return string(v.Const)
}
