// Package params fills in the params of a run. It is the same for every driver. It reads no files and no store:
// runtime/imports imports the artifacts.
package params

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Error is the reason why the given params can't be used for a run.
type Error struct {
	Message string
	Hint    string // what to do about it; may be ""
}

func (e *Error) Error() string { return e.Message }

// Filled are all params of a run.
type Filled struct {
	Values  map[string]json.RawMessage // of those that are values, or null
	Imports []record.Import            // of those that are artifacts, sorted by name; some may be Empty
}

// Fill gives every param of the program what was given, else its default, else its source. What is given for an artifact
// is a record.Import, as Give writes it. The error is an *Error, which lists all faults.
func Fill(p *program.Program, given map[string]json.RawMessage) (Filled, error) {
	out := Filled{Values: make(map[string]json.RawMessage, len(p.Params))}
	declared := make(map[string]bool, len(p.Params))
	var faults, missing []string
	hint := ""
	for i := range p.Params {
		param := &p.Params[i]
		value, ok := given[param.Name]
		declared[param.Name] = true
		switch {
		case ok && IsArtifact(param) && string(value) != "null":
			one, err := content(param, value)
			if err != nil {
				faults = append(faults, fmt.Sprintf("param %q can't be %s: %s", param.Name, param.Type, err))
			}
			out.Imports = append(out.Imports, one)
		case ok:
			value, err := canonical(param, value)
			var not *program.NotAllowedError
			if errors.As(err, &not) {
				faults = append(faults, not.Error())
			} else if err != nil {
				faults = append(faults, fmt.Sprintf("the value of param %q does not have the type %s: %s", param.Name, param.Type, err))
			}
			out.Values[param.Name] = value
		case param.Default != nil:
			out.Values[param.Name] = param.Default
		case param.Source != "":
			out.Imports = append(out.Imports, record.Import{Datum: record.Datum{Name: param.Name, Type: param.Type}, Source: param.Source})
		default:
			if missing = append(missing, param.Name); len(missing) == 1 {
				hint = fmt.Sprintf("Give it with --param %s=VALUE.", param.Name)
				if IsArtifact(param) {
					hint = fmt.Sprintf("Give it with --param %s=@FILE.", param.Name)
				}
			}
		}
	}
	var unknown []string
	for name := range given {
		if !declared[name] {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		faults = append(faults, fmt.Sprintf("pipeline %s has no param %s", p.Pipeline, strings.Join(unknown, ", ")))
	}
	if len(missing) > 0 {
		faults = append(faults, fmt.Sprintf("no value is given for %s, which has no default", strings.Join(missing, ", ")))
	}
	if len(faults) > 0 {
		return Filled{}, &Error{Message: strings.Join(faults, "\n"), Hint: hint}
	}
	if len(out.Values) == 0 {
		out.Values = nil
	}
	return out, nil
}

// IsArtifact reports whether the param is an artifact, or a list or map of them.
func IsArtifact(p *program.Param) bool {
	t, err := types.ParseString(p.Type)
	return err == nil && types.HasArtifact(t)
}

// Give encodes an artifact as the value of a param.
func Give(i *record.Import) (json.RawMessage, error) { return json.Marshal(i) }

// content decodes what Give has encoded, for a param.
func content(p *program.Param, value json.RawMessage) (record.Import, error) {
	var one record.Import
	if err := json.Unmarshal(value, &one); err != nil {
		return one, errors.New("it is not an artifact")
	}
	want, err := types.ParseString(p.Type)
	if err != nil {
		return one, err
	}
	if one.Empty() {
		if !types.IsArtifact(want) {
			return one, errors.New("a source is one file, one object or one directory; use run:RUN/STEP/OUTPUT for several")
		}
		if !strings.HasPrefix(one.Source, record.FromFile) {
			_, err = program.ParseSource(one.Source)
		}
		return named(one, p), err
	}
	t, err := types.ParseString(one.Type)
	if err != nil {
		return one, errors.New("it is not an artifact")
	}
	if m := types.Assignable(t, want); m != nil {
		return one, fmt.Errorf("%s is %s", one.Source, types.Phrase(t))
	}
	if one.Value != nil || types.IsArtifact(want) && one.Artifact == nil {
		return one, errors.New("it is not an artifact")
	}
	return named(one, p), nil
}

func named(i record.Import, p *program.Param) record.Import {
	i.Name, i.Type = p.Name, p.Type
	return i
}

// Check reports whether a value can be the param's, or, for an artifact, what Give has written.
func Check(p *program.Param, value json.RawMessage) error {
	_, err := canonical(p, value)
	return err
}

// canonical returns a value of a param in its canonical form, and what Give has written as it is.
func canonical(p *program.Param, value json.RawMessage) (json.RawMessage, error) {
	t, err := types.ParseString(p.Type)
	if err != nil {
		return value, err
	}
	if string(value) == "null" && string(p.Default) == "null" {
		return value, p.Allows(value)
	}
	if types.HasArtifact(t) && string(value) != "null" {
		_, err := content(p, value)
		return value, err
	}
	if types.HasArtifact(t) {
		return value, errors.New("the value is null")
	}
	if p.Inside != nil {
		v, err := types.Decode(value)
		if err != nil {
			return value, err
		}
		if value, err = types.ToJSON(p.Inside.Apply(v)); err != nil {
			return value, err
		}
	}
	if value, err = types.Canonical(value, t); err != nil {
		return value, err
	}
	return value, p.Allows(value)
}

// Of returns the params of a run that the pipeline still accepts, as values for another run.
func Of(now *program.Program, run *record.Run) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	imports := map[string]*record.Import{}
	for i := range run.Imports {
		imports[run.Imports[i].Name] = &run.Imports[i]
	}
	for i := range now.Params {
		p := &now.Params[i]
		value, ok := run.Params[p.Name]
		if one := imports[p.Name]; one != nil {
			given, err := Give(one)
			value, ok = given, err == nil
		}
		if ok && Check(p, value) == nil {
			out[p.Name] = value
		}
	}
	return out
}
