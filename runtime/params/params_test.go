package params

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

func pipeline() *program.Program {
	return &program.Program{Pipeline: "p", Params: []program.Param{
		{Name: "data", Type: "file", Source: "s3://bucket/key"},
		{Name: "list", Type: "list(model)", Default: json.RawMessage("null")},
		{Name: "model", Type: "model"},
		{Name: "n", Type: "number", Default: json.RawMessage("1")},
	}}
}

const blob = `{"type":"model","artifact":{"digest":"sha256:00","size":1},"source":"run:r/s/o"}`

func TestFill(t *testing.T) {
	for _, c := range []struct {
		name, given string
		want        string // of a success, as JSON
		says        []string
	}{
		{name: "a source and defaults", given: `{"model": ` + blob + `}`,
			want: `{"Values":{"list":null,"n":1},"Imports":[{"name":"data","type":"file","source":"s3://bucket/key"},{"name":"model","type":"model","artifact":{"digest":"sha256:00","size":1},"source":"run:r/s/o"}]}`},
		{name: "another source", given: `{"model": {"source": "@/m"}, "data": {"source": "s3://bucket/other"}, "n": 2}`,
			want: `{"Values":{"list":null,"n":2},"Imports":[{"name":"data","type":"file","source":"s3://bucket/other"},{"name":"model","type":"model","source":"@/m"}]}`},
		{name: "what a file can be", given: `{"model": {"source": "@/m"}, "data": ` + blob + `}`,
			want: `{"Values":{"list":null,"n":1},"Imports":[{"name":"data","type":"file","artifact":{"digest":"sha256:00","size":1},"source":"run:r/s/o"},{"name":"model","type":"model","source":"@/m"}]}`},
		{name: "a list, empty", given: `{"model": {"source": "@/m"}, "list": {"type": "list(model)", "source": "run:r/s/o"}}`,
			want: `{"Values":{"n":1},"Imports":[{"name":"data","type":"file","source":"s3://bucket/key"},{"name":"list","type":"list(model)","source":"run:r/s/o"},{"name":"model","type":"model","source":"@/m"}]}`},
		{name: "none", given: `{}`, says: []string{"no value is given for model"}},
		{name: "unknown", given: `{"model": ` + blob + `, "x": 1}`, says: []string{"has no param x"}},
		{name: "not of its type", given: `{"model": {"type":"image","artifact":{"digest":"sha256:00"},"source":"run:r/s/o"}}`, says: []string{`param "model" can't be model: run:r/s/o is an image`}},
		{name: "a value", given: `{"model": 5}`, says: []string{"it is not an artifact"}},
		{name: "text", given: `{"model": "s3://bucket/key"}`, says: []string{"it is not an artifact"}},
		{name: "null without", given: `{"model": null}`, says: []string{"the value is null"}},
		{name: "nothing in it", given: `{"model": {}}`, says: []string{"it is not an artifact"}},
		{name: "a value in it", given: `{"model": {"type":"model","value":1}}`, says: []string{"it is not an artifact"}},
		{name: "no source", given: `{"model": {"source": "gs://x/y"}}`, says: []string{"gs:// is not supported"}},
		{name: "a source of several", given: `{"model": ` + blob + `, "list": {"source": "s3://bucket/key"}}`, says: []string{"one file, one object or one directory"}},
		{name: "an artifact for a value", given: `{"model": ` + blob + `, "n": ` + blob + `}`, says: []string{`the value of param "n" does not have the type number`}},
	} {
		var given map[string]json.RawMessage
		if err := json.Unmarshal([]byte(c.given), &given); err != nil {
			t.Fatal(err)
		}
		got, err := Fill(pipeline(), given)
		if c.says != nil {
			for _, says := range c.says {
				if err == nil || !strings.Contains(err.Error(), says) {
					t.Errorf("%s: %v, want %q", c.name, err, says)
				}
			}
			continue
		}
		data, _ := json.Marshal(got)
		if err != nil || string(data) != c.want {
			t.Errorf("%s: %v\n%s, want\n%s", c.name, err, data, c.want)
		}
	}
}

// What a run was started with can be given to another, where the params are still the same.
func TestOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := pipeline()
		run := &record.Run{Params: map[string]json.RawMessage{"n": json.RawMessage(`3`), "list": json.RawMessage("null")}}
		art := &record.Artifact{Digest: "sha256:00"}
		run.Imports = []record.Import{{Datum: record.Datum{Name: "data", Type: "file", Artifact: art}, Source: "@/x"}, {Datum: record.Datum{Name: "model", Type: "model", Artifact: art}, Source: "s3://bucket/m"}}
		if rapid.Bool().Draw(t, "other") {
			p.Params[2].Type = "image"
		}
		got := Of(p, run)
		if _, ok := got["model"]; ok != (p.Params[2].Type == "model") || len(got) < 3 {
			t.Fatalf("%s", got)
		}
		if p.Params[2].Type == "model" {
			filled, err := Fill(p, got)
			if err != nil || filled.Imports[0].Source != "@/x" || filled.Imports[0].Empty() || filled.Imports[1].Artifact.Digest != "sha256:00" {
				t.Fatalf("%+v %v", filled, err)
			}
		}
	})
}

func FuzzFill(f *testing.F) {
	f.Add(`{"model": ` + blob + `}`)
	f.Add(`{"list": {"type": "list(model)", "elems": [` + blob + `]}, "data": {"source": "@"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var given map[string]json.RawMessage
		if json.Unmarshal([]byte(text), &given) != nil {
			return
		}
		filled, err := Fill(pipeline(), given)
		if err == nil && len(filled.Values)+len(filled.Imports) != 4 {
			t.Fatalf("%+v", filled)
		}
	})
}
