// Package inputs reads the values that a user gives as text: params of runs and answers to approvals. It checks them
// against their declared types, and fetches nothing: what an artifact's source names is read when the run starts.
package inputs

import (
	"encoding/json"
	"fmt"
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Lookup returns the output that RUN/STEP/OUTPUT refers to.
type Lookup func(address string) (*record.Datum, error)

// Given are params as a user gives them.
type Given struct {
	Files []string // JSON, YAML or HCL, by the ending of their names: see readFile
	Texts []string // NAME=TEXT, which override the files
}

// Params reads params from files and from texts of the form NAME=TEXT. The text of a string is taken as it is; other text is a literal of the
// declared type. @FILE reads it from a file and run:RUN/STEP/OUTPUT from a run; an artifact may also come from s3://. All
// mistakes are reported in one fault.
func Params(p *program.Program, given Given, ofRun Lookup) (map[string]json.RawMessage, error) {
	r := reader{program: p, ofRun: ofRun, given: map[string]bool{}, out: map[string]json.RawMessage{}}
	if err := r.all(given); err != nil {
		return nil, err
	}
	if len(r.mistakes) == 0 {
		return r.out, nil // missing params are reported when the defaults are filled in
	}
	for _, q := range p.Params {
		if q.Default == nil && q.Source == "" && !r.given[q.Name] {
			r.mistake("no value is given for %s, which has no default: --param %s=VALUE", q.Name, q.Name)
		}
	}
	return nil, fault.Usagef("%s", strings.Join(r.mistakes, "\n"))
}

// Some is like Params, for a run that has values of all params already: given replaces some of them.
func Some(p *program.Program, given Given, ofRun Lookup) (map[string]json.RawMessage, error) {
	r := reader{program: p, ofRun: ofRun, given: map[string]bool{}, out: map[string]json.RawMessage{}}
	if err := r.all(given); err != nil {
		return nil, err
	}
	if len(r.mistakes) > 0 {
		return nil, fault.Usagef("%s", strings.Join(r.mistakes, "\n"))
	}
	return r.out, nil
}

// reader reads the params of one run.
type reader struct {
	program  *program.Program
	ofRun    Lookup
	given    map[string]bool
	out      map[string]json.RawMessage
	mistakes []string
}

func (r *reader) mistake(format string, args ...any) {
	r.mistakes = append(r.mistakes, fmt.Sprintf(format, args...))
}

// all reads all given params.
func (r *reader) all(given Given) error {
	for _, path := range given.Files {
		if err := r.file(path); err != nil {
			return err
		}
	}
	for _, text := range given.Texts {
		if err := r.read(text); err != nil {
			return err
		}
	}
	return nil
}

// read reads one param. Its error is not the user's mistake.
func (r *reader) read(given string) error {
	name, text, ok := strings.Cut(given, "=")
	r.given[name] = true
	if !ok {
		r.mistake("--param %q is not of the form NAME=VALUE", given)
		return nil
	}
	q := r.declared(name)
	if q == nil {
		return nil
	}
	value, err := r.value(q, text)
	switch {
	case err == nil:
		r.out[name] = value
	case fault.KindOf(err) == fault.Usage:
		r.mistake("%v", err)
	default:
		return err
	}
	return nil
}

// declared returns the param of that name; nil, with the mistake noted, where there is none.
func (r *reader) declared(name string) *program.Param {
	var names []string
	for i := range r.program.Params {
		if r.program.Params[i].Name == name {
			return &r.program.Params[i]
		}
		names = append(names, r.program.Params[i].Name)
	}
	if len(names) == 0 {
		r.mistake("--param %s: pipeline %q has no params", name, r.program.Pipeline)
		return nil
	}
	hint := ""
	if s := diag.Suggest(name, names); s != "" {
		hint = fmt.Sprintf("; did you mean %q?", s)
	}
	r.mistake("--param %s: pipeline %q has no param with that name%s", name, r.program.Pipeline, hint)
	return nil
}

func (r *reader) value(q *program.Param, text string) (json.RawMessage, error) {
	want, err := types.ParseString(q.Type)
	if err != nil {
		return nil, fault.Env(err)
	}
	if types.HasArtifact(want) {
		return artifact(q, text, r.ofRun)
	}
	return Value("--param "+q.Name, want, text, r.ofRun)
}
