package mock

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/params"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/program/programtest"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// dice is a Cast that lets attempts fail, and approvals be rejected or not be answered, by chance.
type dice struct{ *rand.Rand }

func (d dice) Attempt(spec *engine.Spec) (Outcome, error) {
	out := Outcome{Took: time.Duration(d.IntN(100)) * time.Second}
	switch d.IntN(5) {
	case 0:
		code := d.IntN(3)
		out.Result = record.Result{Status: record.Failed, Class: record.ClassUser, Reason: record.ReasonError, ExitCode: &code}
		return out, nil
	case 1:
		out.Result = record.Result{Status: record.Failed, Class: record.ClassInfrastructure, Reason: record.ReasonLost}
		return out, nil
	}
	out.Result.Status = record.Succeeded
	for _, o := range spec.Def.Outputs {
		d := record.Datum{Name: o.Name, Type: o.Type}
		if want, err := types.ParseString(o.Type); err != nil {
			return out, err
		} else if types.IsArtifact(want) {
			d.Artifact = &record.Artifact{Digest: "sha256:00"}
		} else if !types.HasArtifact(want) {
			d.Value = json.RawMessage("1")
		}
		out.Result.Outputs = append(out.Result.Outputs, d)
	}
	return out, nil
}

func (d dice) Cached(*engine.Spec) bool { return d.IntN(4) == 0 }

func (d dice) Answer(_ string, ask *record.Ask) (*record.Answer, time.Duration, error) {
	if d.IntN(3) == 0 {
		return nil, 0, nil
	}
	return &record.Answer{Reject: ask.Type != "" || d.IntN(2) == 0}, time.Minute, nil
}

// TestPrograms runs the programs of the golden files with outcomes by chance: each run ends, or waits for an approval, and
// the same chance gives the same history.
func TestPrograms(t *testing.T) {
	ended := 0
	for _, data := range programtest.Golden(t, "../../testdata/programs") {
		p, err := program.Decode(data)
		if err != nil {
			t.Fatal(err)
		}
		name := p.Pipeline
		if slices.ContainsFunc(p.LastSuccess, func(l program.LastSuccess) bool { return l.Required }) {
			continue
		}
		given := map[string]json.RawMessage{}
		for i := range p.Params {
			if q := &p.Params[i]; params.IsArtifact(q) {
				data, err := params.Give(&record.Import{Datum: record.Datum{Name: q.Name, Type: q.Type, Artifact: &record.Artifact{Digest: "sha256:00"}}, Source: record.FromRun + "x"})
				if err != nil {
					t.Fatal(err)
				}
				given[q.Name] = data
			}
		}
		filled, err := params.Fill(p, given)
		if err != nil {
			continue // a param without a default
		}
		run := &record.Run{Name: "r", UID: "u", Pipeline: p.Pipeline, Params: filled.Values, Imports: filled.Imports, CreatedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		for seed := range uint64(20) {
			play := func() (string, error) {
				h, err := Run(p, run, dice{rand.New(rand.NewPCG(seed, 1))}, Options{CancelAfter: time.Duration(seed%4) * time.Minute, MaxEvents: 10_000})
				text, _ := json.Marshal(h)
				return string(text), err
			}
			first, err := play()
			var stuck *StuckError
			switch {
			case err == nil:
				ended++
			case errors.As(err, &stuck) && len(stuck.Approvals) > 0:
			default:
				t.Errorf("%s, seed %d: %v", name, seed, err)
			}
			if again, _ := play(); again != first {
				t.Errorf("%s, seed %d has two histories", name, seed)
			}
		}
	}
	if ended < 100 {
		t.Errorf("only %d runs have ended", ended)
	}
}
