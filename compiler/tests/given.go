package tests

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// params reads what the run is started with.
func (r *reader) params(t *Test, b *decode.Block) {
	given := r.object(b, "params")
	t.Params = map[string]json.RawMessage{}
	var names []string
	for _, p := range t.Program.Params {
		names = append(names, p.Name)
		v, ok := given[p.Name]
		if !ok {
			continue
		}
		delete(given, p.Name)
		want := t.pipeline.params[p.Name]
		if types.HasArtifact(want) {
			continue // what it contains doesn't matter
		}
		if data, ok := r.encode(v, want, b.Attr("params"), p.Name, string(p.Default) == "null"); ok {
			t.Params[p.Name] = data
		}
	}
	for _, name := range evaluate.Names(given) {
		at := evaluate.KeyRange(b.Attr("params"), name)
		r.project.Diags.Add(diag.New("unknown-reference", at, "no param is named %q", name).
			WithDetail("%s", evaluate.Listed("Declared", names)).DidYouMean(name, names))
	}
	for _, p := range t.Program.Params {
		if p.Default == nil && p.Source == "" && t.Params[p.Name] == nil && !types.HasArtifact(t.pipeline.params[p.Name]) && !b.Tried("params") {
			at := b.DefRange
			if e := b.Attr("params"); e != nil {
				at = e.Range()
			}
			r.project.Diags.Add(diag.New("missing", at, "no value is given for param.%s, which has no default", p.Name).
				WithSuggestion("add it to `params`: { %s = … }", p.Name))
		}
	}
}

// encode converts the value of a key in an object to its type.
func (r *reader) encode(v cty.Value, want cty.Type, e hcl.Expression, key string, nullable bool) (json.RawMessage, bool) {
	at := evaluate.Part(e, key)
	if v.IsNull() && nullable {
		return json.RawMessage("null"), true
	}
	out, err := types.Convert(evaluate.Texts(at, v, want), want)
	if err != nil {
		r.project.Diags.Add(evaluate.Mismatch(at, v.Type(), want, err))
		return nil, false
	}
	data, err := types.ToJSON(out)
	if err != nil {
		r.project.Diags.Add(diag.New("invalid-value", at.Range(), "%v", err))
		return nil, false
	}
	return data, true
}

// last reads the outputs of an earlier run.
func (r *reader) last(t *Test, b *decode.Block) {
	given := r.object(b, "outputs")
	var read []string
	for i := range t.Program.LastSuccess {
		l := &t.Program.LastSuccess[i]
		if l.Pipeline != b.Label {
			continue
		}
		read = append(read, l.Output)
		want, err := types.ParseString(l.Type)
		v, ok := given[l.Output]
		if !ok || err != nil {
			continue
		}
		delete(given, l.Output)
		d := record.Datum{Name: l.Output, Type: l.Type}
		if types.HasArtifact(want) {
			d = *placeholder(l.Output, l.Type, want, v, "last_success")
		} else if d.Value, ok = r.encode(v, want, b.Attr("outputs"), l.Output, false); !ok {
			continue
		}
		t.LastSuccess = append(t.LastSuccess, record.LastSuccess{Pipeline: l.Pipeline, Run: "earlier", Datum: d})
	}
	for _, name := range evaluate.Names(given) {
		r.project.Diags.Add(diag.New("unknown-reference", evaluate.KeyRange(b.Attr("outputs"), name), "%s",
			fmt.Sprintf("pipeline %q does not read last_success of %s.%s", t.Program.Pipeline, b.Label, name)).
			WithDetail("%s", evaluate.Listed("It reads", read)).DidYouMean(name, read))
	}
}

// required reports the outputs of earlier runs that the pipeline can't start without and that the test doesn't give.
func (r *reader) required(t *Test, b *decode.Block) {
	for i := range t.Program.LastSuccess {
		l := &t.Program.LastSuccess[i]
		if !l.Required || slices.ContainsFunc(t.LastSuccess, func(f record.LastSuccess) bool { return f.Pipeline == l.Pipeline && f.Datum.Name == l.Output }) {
			continue
		}
		if slices.ContainsFunc(b.All("last_success"), func(n *decode.Block) bool { return n.Label == l.Pipeline && n.Tried("outputs") }) {
			continue
		}
		r.project.Diags.Add(diag.New("missing", b.DefRange, "a run of pipeline %q can't start without an earlier run of %q that has the output %q", t.Program.Pipeline, l.Pipeline, l.Output).
			WithSuggestion("add last_success %q { outputs = { %s = … } }", l.Pipeline, l.Output))
	}
}
