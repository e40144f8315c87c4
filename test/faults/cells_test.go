package faults

import (
	"math/rand/v2"
	"strings"
	"testing"

	"pipec.dev/pipec/test/faults/plan"
)

// pairs is how many cells have two faults.
const pairs = 6000

// cells returns all cells: the reference runs without a fault, every single fault at every call of each, and pairs.
func (s *simulator) cells(t *testing.T) []plan.Cell {
	out, single := s.singles(t)
	out = append(out, aimed(single, s.names)...)
	r := rand.New(rand.NewPCG(1, 2))
	for range pairs {
		if c, ok := s.chance(r, single, 2, 100); ok {
			out = append(out, c)
		}
	}
	return out
}

// singles returns the reference runs without a fault and with each single fault, and these faults by the name of the run.
func (s *simulator) singles(t *testing.T) (out []plan.Cell, single map[string][]plan.Fault) {
	single = map[string][]plan.Fault{}
	for _, name := range s.names {
		seen := map[plan.Point]bool{}
		for n := range uint64(2) { // a server with WatchList, and one without
			c := plan.Cell{Run: name, Seed: n}
			seed(n)
			w, _ := s.run(t, c)
			out = append(out, c)
			for _, p := range w.Calls {
				if seen[p] {
					continue
				}
				seen[p] = true
				for _, m := range plan.Modes {
					if m.At(p) {
						f := plan.Fault{Mode: m.Name, At: p}
						single[name] = append(single[name], f)
						out = append(out, plan.Cell{Run: name, Seed: n, Faults: []plan.Fault{f}})
					}
				}
			}
		}
	}
	return out, single
}

// chance returns a cell with so many faults, and with a seed below a limit. It reports false if two of the faults are at the same
// call, where only one of them can take place.
func (s *simulator) chance(r *rand.Rand, single map[string][]plan.Fault, faults int, seeds uint64) (plan.Cell, bool) {
	name := s.names[r.IntN(len(s.names))]
	c, at := plan.Cell{Run: name}, map[plan.Point]bool{}
	for range faults {
		f := single[name][r.IntN(len(single[name]))]
		c.Faults, at[f.At] = append(c.Faults, f), true
	}
	if len(at) < faults {
		return plan.Cell{}, false
	}
	c.Seed = r.Uint64N(seeds)
	return c, true
}

// aimed returns pairs that chance would hardly find: a pod vanishes when its attempt has committed, and the coordinator is
// killed before it has read the result; and the answer to the creation of a pod is lost while no watch shows the pod.
func aimed(single map[string][]plan.Fault, names []string) []plan.Cell {
	var out []plan.Cell
	for _, name := range names {
		for _, f := range single[name] {
			if f.Mode == "lost" && f.At.Verb == "POST" && strings.HasPrefix(f.At.Object, "pods/") {
				blind := plan.Fault{Mode: "watch-blind", At: plan.Point{Run: f.At.Run, Who: plan.Coordinator, Verb: "S-PUT", Object: "runs/run.json", N: 1}}
				out = append(out, plan.Cell{Run: name, Faults: []plan.Fault{blind, f}})
			}
			step, ok := strings.CutSuffix(strings.TrimPrefix(f.At.Object, "attempts/"), "/result.json")
			at := strings.LastIndex(step, "/")
			if !ok || at < 0 || f.Mode != "kill-before" || f.At.N != 1 {
				continue
			}
			vanish := plan.Fault{Mode: "vanish", At: plan.Point{Run: f.At.Run, Who: plan.Node, Verb: "END", Object: "pods/" + step[:at] + "." + step[at+1:], N: 1}}
			out = append(out, plan.Cell{Run: name, Faults: []plan.Fault{vanish, f}})
		}
	}
	return out
}

// sample returns about so many cells, evenly spread; 0: all.
func sample(cells []plan.Cell, about int) []plan.Cell {
	if about == 0 || about >= len(cells) {
		return cells
	}
	out := make([]plan.Cell, 0, about)
	for i := range about {
		out = append(out, cells[i*len(cells)/about])
	}
	return out
}
