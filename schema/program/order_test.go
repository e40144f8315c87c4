package program_test

import (
	"strings"
	"testing"

	"pipec.dev/pipec/schema/program"
)

func TestOrdered(t *testing.T) {
	need := func(names ...string) (out []program.Need) {
		for _, n := range names {
			out = append(out, program.Need{Step: n, Kind: program.NeedOutput})
		}
		return out
	}
	p := program.Program{
		Steps: []program.Step{
			{Name: "evaluator", Needs: need("importer", "trainer")},
			{Name: "importer"},
			{Name: "ring1", Needs: need("ring2")},
			{Name: "ring2", Needs: need("ring1")},
			{Name: "skew", Needs: need("importer")},
			{Name: "trainer", Needs: need("importer", "not there")},
		},
		Finally: []program.Step{{Name: "bye"}},
	}
	var got []string
	for _, s := range p.Ordered() {
		got = append(got, s.Name)
	}
	if want := "importer skew trainer evaluator bye ring1 ring2"; strings.Join(got, " ") != want {
		t.Errorf("%v", got)
	}
}
