package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// setup is what a scenario begins with.
type setup struct {
	program *program.Program
	run     *record.Run
	limit   int // for New
}

// parseSetup reads the short notation of testdata for a program and a run. See testdata/README.md.
func parseSetup(t *testing.T, text string) *setup {
	t.Helper()
	su := &setup{program: pipeline(), run: newRun()}
	r := &notation{setup: su, steps: &su.program.Steps, finally: &su.program.Finally}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if err := r.line(line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	return su
}

// notation reads the lines of a setup.
type notation struct {
	*setup
	called         *program.Called // the pipeline that the lines are about; nil: the program itself
	steps, finally *[]program.Step // of that pipeline
	step           *program.Step   // the step that the lines are about; nil: none yet
}

func (r *notation) line(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "step":
		*r.steps = append(*r.steps, step(rest))
		r.step = &(*r.steps)[len(*r.steps)-1]
		return nil
	case "finally":
		*r.finally = append(*r.finally, step(rest))
		r.step = &(*r.finally)[len(*r.finally)-1]
		return nil
	case "pipeline":
		r.program.Called = append(r.program.Called, program.Called{Name: rest, OnFailure: "continue"})
		c := &r.program.Called[len(r.program.Called)-1]
		r.called, r.steps, r.finally, r.step = c, &c.Steps, &c.Finally, nil
		return nil
	}
	if r.step != nil {
		return stepLine(r.step, word, rest)
	}
	return r.pipelineLine(word, rest)
}

// pipelineLine reads what is set for a pipeline, or for the run.
func (r *notation) pipelineLine(word, rest string) (err error) {
	onFailure, timeout, most, params, results := &r.program.OnFailure, &r.program.Timeout, &r.program.MaxParallel, &r.program.Params, &r.program.Outputs
	if c := r.called; c != nil {
		onFailure, timeout, most, params, results = &c.OnFailure, &c.Timeout, &c.MaxParallel, &c.Params, &c.Outputs
	}
	switch word {
	case "limit":
		r.limit, err = strconv.Atoi(rest)
	case "kept":
		r.run.Kept = strings.Fields(rest)
	case "only":
		r.run.Only = strings.Fields(rest)
	case "scheduled_at":
		var at time.Time
		at, err = time.Parse(time.RFC3339, rest)
		r.run.ScheduledAt = &at
	case "given":
		name, value, _ := strings.Cut(rest, " = ")
		if r.run.Params == nil {
			r.run.Params = map[string]json.RawMessage{}
		}
		r.run.Params[name] = raw(value)
	case "on_failure":
		*onFailure = rest
	case "timeout":
		*timeout, err = duration(rest)
	case "max_parallel":
		*most, err = strconv.Atoi(rest)
	case "param":
		d := declare(rest)
		*params = append(*params, program.Param{Name: d.name, Type: d.typ, Default: d.def})
	case "result":
		d := declare(rest)
		*results = append(*results, program.Result{Name: d.name, Type: d.typ, Value: d.value})
	default:
		return errors.New("not an attribute of a pipeline")
	}
	return err
}

// stepLine reads what is set for a step.
func stepLine(s *program.Step, word, rest string) (err error) {
	switch word {
	case "needs":
		words := strings.Fields(rest)
		for _, name := range words[1:] {
			n := program.Need{Kind: program.NeedKind(words[0]), Step: name}
			if name, instance, ok := strings.Cut(name, "["); ok {
				n.Step, n.Instance = name, strings.TrimSuffix(instance, "]")
			}
			s.Needs = append(s.Needs, n)
		}
	case "output", "optional": // "optional output NAME: TYPE"
		d := declare(strings.TrimPrefix(rest, "output "))
		s.Outputs = append(s.Outputs, program.Output{Name: d.name, Type: d.typ, Default: d.def, Optional: word == "optional"})
	case "input":
		d := declare(rest)
		s.Inputs = append(s.Inputs, program.Input{Name: d.name, Type: d.typ, Default: d.def, Value: d.value})
	case "command":
		if len(s.Command) == 1 && string(s.Command[0].Const) == `"true"` {
			s.Command = nil
		}
		s.Command = append(s.Command, value(rest))
	case "env":
		name, v, _ := strings.Cut(rest, " <- ")
		s.Env = append(s.Env, program.Env{Name: name, Value: value(v)})
	case "when":
		v := value(rest)
		s.When = &v
	case "continue_on_failure":
		s.ContinueOnFailure = true
	case "timeout":
		s.Timeout, err = duration(rest)
	case "cache":
		s.Cache = &program.Cache{}
	case "retry":
		return retryLine(&s.Retry, rest)
	case "retry_when":
		v := value(rest)
		s.Retry.When = &v
	case "group":
		words := strings.Fields(rest)
		s.Concurrency = &program.Concurrency{Group: words[0], Skip: len(words) > 2 && words[2] == "skip"}
		s.Concurrency.Limit, err = strconv.Atoi(words[1])
	case "for_each":
		typ, v, _ := strings.Cut(rest, " <- ")
		s.ForEach = &program.ForEach{Type: typ, Value: value(v), MaxInstances: program.MaxInstances}
	case "max_instances":
		s.ForEach.MaxInstances, err = strconv.Atoi(rest)
	case "max_parallel":
		s.ForEach.MaxParallel, err = strconv.Atoi(rest)
	case "repeat":
		s.Repeat = &program.Repeat{}
		s.Repeat.Max, err = strconv.Atoi(rest)
	case "until":
		v := value(rest)
		s.Repeat.Until = &v
	case "carry":
		name, v, _ := strings.Cut(rest, " <- ")
		s.Repeat.Carry = append(s.Repeat.Carry, program.Carry{Name: name, Value: value(v)})
	case "call":
		s.Command, s.Call = nil, &program.Call{Pipeline: rest}
	case "approval":
		s.Command, s.Retry, s.Approval = nil, program.Retry{}, &program.Approval{Message: value(rest)}
	case "approval_timeout":
		s.Approval.Timeout, err = duration(rest)
	case "approval_default":
		s.Approval.Default = raw(rest)
	default:
		return errors.New("not an attribute of a step")
	}
	return err
}

// retryLine reads "attempts=2 delay=1s"; what is not named is zero.
func retryLine(r *program.Retry, rest string) (err error) {
	*r = program.Retry{When: r.When}
	for word := range strings.FieldsSeq(rest) {
		name, v, _ := strings.Cut(word, "=")
		switch name {
		case "attempts":
			r.Attempts, err = strconv.Atoi(v)
		case "infrastructure":
			r.Infrastructure, err = strconv.Atoi(v)
		case "delay":
			r.Delay, err = duration(v)
		case "within":
			r.Within, err = duration(v)
		case "on_exit_codes":
			err = json.Unmarshal([]byte("["+v+"]"), &r.OnExitCodes)
		default:
			err = fmt.Errorf("retry has no %q", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// declaration is "NAME: TYPE or DEFAULT <- VALUE" taken apart.
type declaration struct {
	name, typ string
	def       json.RawMessage
	value     program.Value
}

func declare(text string) (d declaration) {
	text, v, _ := strings.Cut(text, " <- ")
	d.value = value(v)
	d.name, text, _ = strings.Cut(text, ": ")
	var def string
	var ok bool
	if d.typ, def, ok = strings.Cut(text, " or "); ok {
		d.def = raw(def)
	}
	return d
}

// value reads "const JSON", "REF", "~REF" for a soft one, and "(REF, ~REF) TYPE: EXPRESSION".
func value(text string) program.Value {
	if c, ok := strings.CutPrefix(text, "const "); ok {
		return program.Value{Const: raw(c)}
	}
	if list, ok := strings.CutPrefix(text, "("); ok {
		list, rest, _ := strings.Cut(list, ") ")
		typ, source, _ := strings.Cut(rest, ": ")
		var refs []string
		if list != "" {
			refs = strings.Split(list, ", ")
		}
		return ex(source, typ, refs...)
	}
	if name, ok := strings.CutPrefix(text, "~"); ok {
		return soft(name)
	}
	return program.Value{Ref: text}
}

func duration(text string) (program.Duration, error) {
	d, err := time.ParseDuration(text)
	return program.Duration(d), err
}
