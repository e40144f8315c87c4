package inputs

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Value reads a text as a value of a type. Name names the value in faults, such as "--param x". ofRun is nil where a value
// can't be taken from a run.
func Value(name string, want cty.Type, text string, ofRun Lookup) (json.RawMessage, error) {
	if address, ok := strings.CutPrefix(text, record.FromRun); ok && ofRun != nil {
		return fromRun(name, want, address, ofRun)
	}
	if path, ok := strings.CutPrefix(text, "@"); ok {
		var err error
		if text, err = readFile(path, types.MaxValue); err != nil {
			return nil, fault.Usagef("%s: %v", name, err)
		}
		if want == cty.String {
			text = strings.TrimSuffix(text, "\n")
		}
	}
	v, err := literal(text, want)
	if err != nil {
		return nil, fault.Usagef("%s has the type %s: %v", name, types.String(want), err)
	}
	return types.ToJSON(v)
}

func fromRun(name string, want cty.Type, address string, ofRun Lookup) (json.RawMessage, error) {
	d, err := ofRun(address)
	if err != nil {
		return nil, err
	}
	if d.Value == nil {
		return nil, fault.Usagef("%s has the type %s, and %s is an artifact (%s)", name, types.String(want), address, d.Type)
	}
	v, err := types.FromJSON(d.Value, want)
	if err != nil {
		return nil, fault.Usagef("%s: the value of %s does not have the type %s: %v", name, address, types.String(want), err)
	}
	return types.ToJSON(v)
}

// artifact reads the source of an artifact.
func artifact(q *program.Param, text string, ofRun Lookup) (json.RawMessage, error) {
	one := record.Import{Source: text}
	switch {
	case strings.HasPrefix(text, record.FromRun):
		d, err := ofRun(strings.TrimPrefix(text, record.FromRun))
		if err != nil {
			return nil, err
		}
		if one.Datum = *d; d.Value != nil {
			return nil, fault.Usagef("--param %s has the type %s, and %s is a value (%s)", q.Name, q.Type, text, d.Type)
		}
	case strings.HasPrefix(text, record.FromFile):
		path, err := filepath.Abs(strings.TrimPrefix(text, record.FromFile))
		if err != nil || text == record.FromFile {
			return nil, fault.Usagef("--param %s names no file: write %s=@FILE", q.Name, q.Name)
		}
		one.Source = record.FromFile + path
	case text == "null" && string(q.Default) == "null":
		return json.RawMessage("null"), nil
	case !strings.HasPrefix(text, "s3://"):
		return nil, fault.Usagef("--param %s has the type %s: write %s=@FILE, %s=run:RUN/STEP/OUTPUT or %s=s3://BUCKET/KEY", q.Name, q.Type, q.Name, q.Name, q.Name)
	}
	data, err := params.Give(&one)
	if err != nil {
		return nil, fault.Env(err)
	}
	if err := params.Check(q, data); err != nil {
		return nil, fault.Usagef("--param %s has the type %s: %v", q.Name, q.Type, err)
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
	return cty.NilVal, fmt.Errorf("%q is not a literal of that type", text)
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
