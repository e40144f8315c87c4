package graph_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pipec.dev/pipec/emit/graph"
	"pipec.dev/pipec/schema/program"
)

// TestDraw checks that the nodes of a drawing don't overlap, that its edges join them, and that everything is inside.
func TestDraw(t *testing.T) {
	p := &program.Program{Pipeline: "p", Finally: []program.Step{{Name: "last"}}, Outputs: []program.Result{{Name: "out", Type: "number", Value: program.Value{Ref: "step.s-9.x"}}}}
	for i := range 200 {
		s := program.Step{Name: fmt.Sprintf("s-%d", i), Outputs: []program.Output{{Name: "x", Type: "number"}}}
		if i > 0 {
			s.Needs = []program.Need{{Step: fmt.Sprintf("s-%d", i/3), Kind: program.NeedOrder}}
		}
		p.Steps = append(p.Steps, s)
	}
	d := graph.Draw(p)
	if len(d.Nodes) != 202 || len(d.Edges) != 200 || d.Group == nil {
		t.Fatalf("%d nodes, %d edges, finally %v", len(d.Nodes), len(d.Edges), d.Group)
	}
	for i, a := range d.Nodes {
		if a.X < 0 || a.Y < 0 || a.X+a.Width > d.Width || a.Y+a.Height > d.Height {
			t.Errorf("%s is outside", a.Name)
		}
		for _, b := range d.Nodes[:i] {
			if a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
				t.Errorf("%s and %s overlap", a.Name, b.Name)
			}
		}
	}
	for _, e := range d.Edges {
		from, to := d.Nodes[e.From], d.Nodes[e.To]
		if want := fmt.Sprintf("M%v %v", from.X+from.Width, from.Y+from.Height/2); from.Kind != "output" && !strings.HasPrefix(e.Path, want) {
			t.Errorf("the edge from %s to %s begins at %.20s, expected %s", from.Name, to.Name, e.Path, want)
		}
		if from.X >= to.X {
			t.Errorf("%s is not left of %s", from.Name, to.Name)
		}
	}
	if _, err := json.Marshal(d); err != nil {
		t.Error(err)
	}
	if empty := graph.Draw(&program.Program{}); empty.Nodes == nil || empty.Edges == nil || empty.Width <= 0 {
		t.Errorf("an empty program is drawn as %+v", empty)
	}
}
