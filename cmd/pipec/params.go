package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	runparams "pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// datumOf gives the output that RUN/STEP/OUTPUT stands for.
type datumOf func(address string) (*record.Datum, error)

// params reads --param flags. Text is taken as it is for a string; else it is a literal of the declared type. @FILE reads
// it from a file, run:RUN/STEP/OUTPUT from a run; an artifact may also come from s3://. All that is wrong with them is told
// at once.
func params(p *program.Program, flags []string, ofRun datumOf) (map[string]json.RawMessage, error) {
	declared := map[string]program.Param{}
	var names []string
	for _, q := range p.Params {
		declared[q.Name] = q
		names = append(names, q.Name)
	}
	out := map[string]json.RawMessage{}
	var faults []string
	given := map[string]bool{}
	for _, flag := range flags {
		name, text, ok := strings.Cut(flag, "=")
		q, known := declared[name]
		given[name] = true
		switch {
		case !ok:
			faults = append(faults, fmt.Sprintf("--param %q is not of the form NAME=VALUE", flag))
			continue
		case !known && len(names) == 0:
			faults = append(faults, fmt.Sprintf("--param %s: pipeline %q has no params", name, p.Pipeline))
			continue
		case !known:
			hint := ""
			if s := diag.Suggest(name, names); s != "" {
				hint = fmt.Sprintf("; did you mean %q?", s)
			}
			faults = append(faults, fmt.Sprintf("--param %s: pipeline %q has no param of that name%s", name, p.Pipeline, hint))
			continue
		}
		value, err := param(q, text, ofRun)
		switch {
		case err == nil:
			out[name] = value
		case exitStatus(err) == exitUsage:
			faults = append(faults, err.Error())
		default:
			return nil, err
		}
	}
	if len(faults) == 0 {
		return out, nil // what is missing is told by who fills in the defaults
	}
	for _, q := range p.Params {
		if q.Default == nil && q.Source == "" && !given[q.Name] {
			faults = append(faults, fmt.Sprintf("no value is given for %s, which has no default: --param %s=VALUE", q.Name, q.Name))
		}
	}
	return nil, usage("%s", strings.Join(faults, "\n"))
}

func param(q program.Param, text string, ofRun datumOf) (json.RawMessage, error) {
	want, err := types.ParseString(q.Type)
	if err != nil {
		return nil, world(err)
	}
	if types.HasArtifact(want) {
		return artifactParam(q, text, ofRun)
	}
	return valueGiven("--param "+q.Name, want, text, ofRun)
}

// valueGiven is the value that a flag gives, of a type. ofRun: nil where none can be taken from a run.
func valueGiven(flag string, want cty.Type, text string, ofRun datumOf) (json.RawMessage, error) {
	if address, ok := strings.CutPrefix(text, record.FromRun); ok && ofRun != nil {
		d, err := ofRun(address)
		if err != nil {
			return nil, err
		}
		if d.Value == nil {
			return nil, usage("%s is an artifact (%s); a param of type %s is a value", address, d.Type, types.String(want))
		}
		v, err := types.FromJSON(d.Value, want)
		if err != nil {
			return nil, usage("%s: the value of %s does not fit: %v", flag, address, err)
		}
		return types.ToJSON(v)
	}
	if path, ok := strings.CutPrefix(text, "@"); ok {
		var err error
		if text, err = readFile(path, types.MaxValue); err != nil {
			return nil, usage("%s: %v", flag, err)
		}
		if want == cty.String {
			text = strings.TrimSuffix(text, "\n")
		}
	}
	v, err := literal(text, want)
	if err != nil {
		return nil, usage("%s is %s, and %v", flag, types.String(want), err)
	}
	return types.ToJSON(v)
}

// artifactParam reads where an artifact is to come from. What it names is read when the run starts.
func artifactParam(q program.Param, text string, ofRun datumOf) (json.RawMessage, error) {
	one := record.Import{Source: text}
	switch {
	case strings.HasPrefix(text, record.FromRun):
		d, err := ofRun(strings.TrimPrefix(text, record.FromRun))
		if err != nil {
			return nil, err
		}
		if one.Datum = *d; d.Value != nil {
			return nil, usage("--param %s is %s, and %s is a value (%s)", q.Name, q.Type, text, d.Type)
		}
	case strings.HasPrefix(text, record.FromFile):
		path, err := filepath.Abs(strings.TrimPrefix(text, record.FromFile))
		if err != nil || text == record.FromFile {
			return nil, usage("--param %s names no file: %s=@FILE", q.Name, q.Name)
		}
		one.Source = record.FromFile + path
	case text == "null" && string(q.Default) == "null":
		return json.RawMessage("null"), nil
	case !strings.HasPrefix(text, "s3://"):
		return nil, usage("--param %s is %s: it is given as %s=@FILE, %s=run:RUN/STEP/OUTPUT or %s=s3://BUCKET/KEY", q.Name, q.Type, q.Name, q.Name, q.Name)
	}
	data, err := runparams.Give(&one)
	if err != nil {
		return nil, world(err)
	}
	if err := runparams.Check(&q, data); err != nil {
		return nil, usage("--param %s can't be %s: %v", q.Name, q.Type, err)
	}
	return data, nil
}

// literal reads text as a value of a type.
func literal(text string, want cty.Type) (cty.Value, error) {
	if want == cty.String {
		return cty.StringVal(text), nil
	}
	node, err := expr.Parse(text)
	if err == nil && len(node.Variables()) == 0 {
		v, diags := node.Value(nil)
		if !diags.HasErrors() {
			return types.Convert(v, want)
		}
	}
	if want == cty.DynamicPseudoType {
		return cty.StringVal(text), nil
	}
	return cty.NilVal, fmt.Errorf("%q is no such literal", text)
}

func readFile(path string, limit int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return "", err
	}
	if int64(len(data)) > limit {
		return "", fmt.Errorf("%s is larger than a value may be (%d bytes)", path, limit)
	}
	return string(data), nil
}
