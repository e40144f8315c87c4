package inputs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/paths"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// Value reads a text as a value of a type. Name names the value in faults, such as "--param x". ofRun is nil where a value
// can't be taken from a run.
func Value(name string, want cty.Type, text string, ofRun Lookup) (json.RawMessage, error) {
	if address, ok := strings.CutPrefix(text, record.FromRun); ok && ofRun != nil {
		return fromRun(name, want, paths.Form(address), ofRun)
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
	value, err := literal(text, want)
	if err != nil {
		return nil, fault.Usagef("%s has the type %s: %v", name, types.String(want), err)
	}
	return value, nil
}

func fromRun(name string, want cty.Type, address string, ofRun Lookup) (json.RawMessage, error) {
	d, err := ofRun(address)
	if err != nil {
		return nil, err
	}
	if d.Value == nil {
		return nil, fault.Usagef("%s has the type %s, and %s is an artifact (%s)", name, types.String(want), address, d.Type)
	}
	value, err := types.Canonical(d.Value, want)
	if err != nil {
		return nil, fault.Usagef("%s: the value of %s does not have the type %s: %v", name, address, types.String(want), err)
	}
	return value, nil
}

// artifact reads the source of an artifact.
func artifact(q *program.Param, text string, ofRun Lookup) (json.RawMessage, error) {
	one := record.Import{Source: text}
	switch {
	case strings.HasPrefix(text, record.FromRun):
		d, err := ofRun(paths.Form(strings.TrimPrefix(text, record.FromRun)))
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

// literal reads text as a value of a type: the text of a string, JSON, or a literal of the language.
func literal(text string, want cty.Type) (json.RawMessage, error) {
	if want == cty.String {
		return plain(text)
	}
	if json.Valid([]byte(text)) && !strings.Contains(text, "${") && !strings.Contains(text, "%{") { // these are templates
		return types.Canonical([]byte(text), want)
	}
	if data, err := constant(text, want); !errors.Is(err, errNotConstant) {
		return data, err
	}
	if want == cty.DynamicPseudoType {
		return plain(text)
	}
	return nil, fmt.Errorf("%q is not a literal of that type", text)
}

// errNotConstant says that a text is not a constant of the language.
var errNotConstant = errors.New("not a constant")

// constant reads a constant of the language as a value of a type. The error is errNotConstant if the text is not one.
func constant(text string, want cty.Type) (json.RawMessage, error) {
	node, err := expr.Parse(text)
	if err != nil || len(node.Variables()) > 0 {
		return nil, errNotConstant
	}
	if data, ok := expr.LiteralJSON(node, []byte(text)); ok {
		return types.Canonical(data, want)
	}
	v, diags := node.Value(nil)
	if diags.HasErrors() {
		return nil, errNotConstant
	}
	if written, ok := expr.Written(node, expr.Source([]byte(text)), nil); ok {
		v = written
	}
	if v, err = types.Convert(v, want); err != nil {
		return nil, err
	}
	return types.ToJSON(v)
}

// plain returns a text as a value.
func plain(text string) (json.RawMessage, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the text is not UTF-8")
	}
	return types.ToJSON(types.StringVal(text))
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
