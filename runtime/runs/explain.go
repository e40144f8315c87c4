package runs

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"pipec.dev/pipec/runtime/history"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Explanation is what the records and the program of a run say about one of its steps.
type Explanation struct {
	Run      string         `json:"run"`
	Pipeline string         `json:"pipeline"`
	Step     record.StepEnd `json:"step"`
	When     string         `json:"when,omitempty"` // the condition, as an expression
	// ReadyAt is when the last step that it needs had ended; zero: it needs none, or one has not ended.
	ReadyAt  time.Time       `json:"ready_at,omitzero"`
	Needs    []Need          `json:"needs,omitempty"`
	Inputs   []Origin        `json:"inputs,omitempty"`
	Attempts []record.Result `json:"attempts,omitempty"` // that have ended, in order
	// CacheOff is why the step was not looked up in the cache; "": it was, or did not run.
	CacheOff string `json:"cache_off,omitempty"`
	// Params are the params that differ from those of the run whose cache key was compared.
	Params []ParamChange `json:"changed_params,omitempty"`
	// Retry is the retry budget of the step, in attempts.
	Retry int `json:"retry,omitempty"`
	// Parts are the instances, rounds or steps directly below the step.
	Parts []record.StepEnd `json:"parts,omitempty"`
}

// ParamChange is a param with another value than in an earlier run; nil: that run had none.
type ParamChange struct {
	Name   string          `json:"name"`
	Before json.RawMessage `json:"before,omitempty"`
	After  json.RawMessage `json:"after,omitempty"`
}

// Need is a step that another step needs.
type Need struct {
	Step   string        `json:"step"`
	Status record.Status `json:"status"`
}

// Origin is where an input comes from.
type Origin struct {
	Name string        `json:"name"`
	Type string        `json:"type"`
	From string        `json:"from"`            // the expression of its value
	Is   *record.Datum `json:"datum,omitempty"` // the value or artifact; nil: it is not in the records
}

// Explain reads what is known about the step of an address. The error is a *NoStepError if the run has no such step.
func (r *Reader) Explain(ctx context.Context, run *record.Run, address string) (*Explanation, error) {
	d, err := r.Show(ctx, run)
	if err != nil {
		return nil, err
	}
	s := d.Step(address)
	if s == nil {
		fault := &NoStepError{Run: run.Name, Step: address}
		for i := range d.Steps {
			fault.Have = append(fault.Have, d.Steps[i].Name)
		}
		return nil, fault
	}
	p, err := r.Program(ctx, run)
	if err != nil {
		return nil, err
	}
	x := &Explanation{Run: run.Name, Pipeline: run.Pipeline, Step: *s}
	for i := range d.Steps {
		if parent, ok := record.Address(d.Steps[i].Name).Parent(); ok && parent.String() == address {
			x.Parts = append(x.Parts, d.Steps[i])
		}
	}
	if def := StepOf(p, address); def != nil {
		x.define(d, def)
	}
	if x.Params, err = r.changedParams(ctx, run, s.Cache); err != nil {
		return nil, err
	}
	x.Attempts, err = r.attempts(ctx, run, s, len(x.Parts) > 0)
	return x, err
}

// define fills in what the program says about the step.
func (x *Explanation) define(d *Detail, def *program.Step) {
	x.When, x.Retry = valueText(def.When), def.Retry.Attempts
	if s := &x.Step; def.Process() && def.Cache == nil && s.Run == "" && !s.StartedAt.IsZero() && len(x.Parts) == 0 {
		x.CacheOff = cacheOff(def)
	}
	prefix := framePrefix(record.Address(x.Step.Name))
	ready := true
	for _, need := range def.Needs {
		of := d.Step(prefix + need.Step)
		if of == nil || len(x.Needs) > 0 && x.Needs[len(x.Needs)-1].Step == of.Name {
			continue
		}
		x.Needs = append(x.Needs, Need{of.Name, of.Status})
		if ready = ready && of.Status.Ended(); of.EndedAt.After(x.ReadyAt) {
			x.ReadyAt = of.EndedAt
		}
	}
	if !ready {
		x.ReadyAt = time.Time{}
	}
	for i := range def.Inputs {
		in := &def.Inputs[i]
		x.Inputs = append(x.Inputs, Origin{Name: in.Name, Type: in.Type, From: valueText(&in.Value), Is: d.origin(prefix, in)})
	}
}

// changedParams compares the params of a run with those of the run whose cache key was compared, if it has not been deleted.
func (r *Reader) changedParams(ctx context.Context, run *record.Run, c *record.CacheCheck) ([]ParamChange, error) {
	if c == nil || c.Run == "" || len(c.Changed) == 0 {
		return nil, nil
	}
	before, err := r.other(ctx, run, c.Run)
	if err != nil {
		return nil, ignoreMissing(err)
	}
	names := map[string]json.RawMessage{}
	maps.Copy(names, run.Params)
	maps.Copy(names, before.Params)
	var out []ParamChange
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !bytes.Equal(before.Params[name], run.Params[name]) {
			out = append(out, ParamChange{name, before.Params[name], run.Params[name]})
		}
	}
	return out, nil
}

// cacheOff returns why a step without caching is not cached.
func cacheOff(def *program.Step) string {
	if len(def.Outputs) == 0 {
		return "off: a step without outputs is never cached"
	}
	return "off: neither the step nor its pipeline has cache = true"
}

// framePrefix returns what precedes the names of the steps beside an address: "call[0]." for call[0].train#2.
func framePrefix(a record.Address) string {
	for {
		parent, ok := a.Parent()
		if !ok {
			return ""
		}
		_, instance := a.Key()
		if _, round := a.Round(); !instance && !round {
			return parent.String() + "."
		}
		a = parent
	}
}

// valueText returns the expression of a value, or "" for nil.
func valueText(v *program.Value) string {
	switch {
	case v == nil:
		return ""
	case v.Expr != nil:
		return v.Expr.Text
	case v.Ref != "":
		return v.Ref
	}
	return string(v.Const)
}

// origin returns what an input was, if it is a constant or a single reference to something that is recorded.
func (d *Detail) origin(prefix string, in *program.Input) *record.Datum {
	if in.Value.Const != nil {
		return &record.Datum{Name: in.Name, Type: in.Type, Value: in.Value.Const}
	}
	if name, ok := strings.CutPrefix(in.Value.Ref, "param."); ok && prefix == "" {
		return d.param(name, in.Type)
	}
	ref, ok := strings.CutPrefix(in.Value.Ref, "step.")
	at := strings.LastIndexByte(ref, '.')
	if !ok || at < 0 {
		return nil
	}
	of := d.Step(prefix + ref[:at])
	if of == nil {
		return nil
	}
	for i := range of.Outputs {
		if of.Outputs[i].Name == ref[at+1:] {
			return &of.Outputs[i]
		}
	}
	return nil
}

// param returns a param of the run, or nil.
func (d *Detail) param(name, of string) *record.Datum {
	if value, ok := d.Run.Params[name]; ok {
		return &record.Datum{Name: name, Type: of, Value: value}
	}
	for i := range d.Run.Imports {
		if d.Run.Imports[i].Name == name {
			return &d.Run.Imports[i].Datum
		}
	}
	return nil
}

// attempts reads the results of a step's attempts, or of the attempt of another run whose result it has.
func (r *Reader) attempts(ctx context.Context, run *record.Run, s *record.StepEnd, parts bool) ([]record.Result, error) {
	first, last := 1, s.Attempts
	switch {
	case s.Run != "" && s.Run != run.Name:
		other, err := r.other(ctx, run, s.Run)
		if err != nil {
			return nil, ignoreMissing(err) // that run was deleted
		}
		run, first, last = other, max(s.Attempt, 1), max(s.Attempt, 1)
	case parts:
		return nil, nil
	}
	var out []record.Result
	for n := first; n <= last; n++ {
		result, err := history.Result(ctx, r.store, run, record.AttemptID{Step: s.Name, Attempt: n})
		if err != nil {
			return nil, err
		}
		if result != nil {
			out = append(out, *result)
		}
	}
	return out, nil
}
