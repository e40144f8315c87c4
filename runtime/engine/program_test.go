package engine

import (
	"encoding/json"
	"strings"
	"time"

	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// The following make small programs.

func step(name string, parts ...func(*program.Step)) program.Step {
	s := program.Step{Name: name, Command: []program.Value{{Const: raw(`"true"`)}}, Retry: program.Retry{Attempts: 1, Infrastructure: 3}}
	for _, part := range parts {
		part(&s)
	}
	return s
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func needs(kind program.NeedKind, names ...string) func(*program.Step) {
	return func(s *program.Step) {
		for _, n := range names {
			s.Needs = append(s.Needs, program.Need{Step: n, Kind: kind})
		}
	}
}

func output(name, typ string) func(*program.Step) {
	return func(s *program.Step) { s.Outputs = append(s.Outputs, program.Output{Name: name, Type: typ}) }
}

func input(name, typ string, v program.Value) func(*program.Step) {
	return func(s *program.Step) { s.Inputs = append(s.Inputs, program.Input{Name: name, Type: typ, Value: v}) }
}

func inputOr(name, typ string, v program.Value, def string) func(*program.Step) {
	return func(s *program.Step) {
		s.Inputs = append(s.Inputs, program.Input{Name: name, Type: typ, Value: v, Default: raw(def)})
	}
}

func when(text, typ string, refs ...string) func(*program.Step) {
	return func(s *program.Step) { v := ex(text, typ, refs...); s.When = &v }
}

func ref(r string) program.Value  { return program.Value{Ref: r} }
func soft(r string) program.Value { return program.Value{Ref: r, Soft: true} }

// ex is an expression; a reference that starts with ~ is soft.
func ex(text, typ string, refs ...string) program.Value {
	e := &expr.Expr{Text: text, Type: typ}
	for _, r := range refs {
		name, isSoft := strings.CutPrefix(r, "~")
		e.Refs = append(e.Refs, name)
		if isSoft {
			e.Soft = append(e.Soft, name)
		}
	}
	return program.Value{Expr: e}
}

func retry(r program.Retry) func(*program.Step) { return func(s *program.Step) { s.Retry = r } }

func pipeline(steps ...program.Step) *program.Program {
	return &program.Program{Version: 1, Pipeline: "p", Steps: steps, OnFailure: "continue"}
}

func newRun() *record.Run { return &record.Run{Version: 1, Name: "r1", UID: "u", Pipeline: "p"} }

func finally(p *program.Program, steps ...program.Step) *program.Program {
	p.Finally = steps
	return p
}

func onFailure(mode string, p *program.Program) *program.Program {
	p.OnFailure = mode
	return p
}

// asks makes an approval of a step; typ is that of its value, or "".
func asks(typ string, a program.Approval, parts ...func(*program.Step)) func(*program.Step) {
	return func(s *program.Step) {
		s.Command, s.Retry, s.Approval = nil, program.Retry{}, &a
		if m := &s.Approval.Message; m.Const == nil && m.Ref == "" && m.Expr == nil {
			s.Approval.Message = program.Value{Const: raw(`"go?"`)}
		}
		if typ != "" {
			output("value", typ)(s)
		}
		for _, part := range parts {
			part(s)
		}
	}
}

func cached(s *program.Step) { s.Cache = &program.Cache{} }

func in(group string, limit int) func(*program.Step) {
	return func(s *program.Step) { s.Concurrency = &program.Concurrency{Group: group, Limit: limit} }
}

func perElement(list string, most int) func(*program.Step) {
	return func(s *program.Step) {
		s.ForEach = &program.ForEach{Type: "list(number)", Value: program.Value{Const: raw(list)}, MaxInstances: 100, MaxParallel: most}
	}
}
