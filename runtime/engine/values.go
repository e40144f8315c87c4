package engine

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// evaluator evaluates the expressions of a program over the outputs of the graph's nodes. It changes no node, except that
// it keeps decoded values with the node that they came from.
type evaluator struct {
	graph   *graph
	program *program.Program
	run     *record.Run
	types   typeTable
	earlier map[string]*earlierOutput // by reference
}

// typeTable holds each type of the program by its text, parsed once.
type typeTable map[string]cty.Type

// read parses a type of the program once.
func (tt typeTable) read(where, name, text string) error {
	if _, ok := tt[text]; ok {
		return nil
	}
	t, err := types.ParseString(text)
	if err != nil {
		return fmt.Errorf("%s %q: %w", where, name, err)
	}
	tt[text] = t
	return nil
}

// readParams reads the params that the run was started with.
func (ev *evaluator) readParams() error {
	root := &ev.graph.frames[0]
	root.params = map[string]*source{}
	imports := map[string]*record.Datum{}
	for i := range ev.run.Imports {
		imports[ev.run.Imports[i].Name] = &ev.run.Imports[i].Datum
	}
	for _, p := range ev.program.Params {
		if d := imports[p.Name]; d != nil {
			s := recorded(d, ev.types[p.Type])
			if _, err := s.decode(); err != nil {
				return fmt.Errorf("param %q: %w", p.Name, err)
			}
			root.params[p.Name] = s
			continue
		}
		data, ok := ev.run.Params[p.Name]
		if !ok {
			data = p.Default
		}
		if data == nil {
			return fmt.Errorf("the run has no value for param %q", p.Name)
		}
		s, err := given(p.Name, p.Type, data, ev.types[p.Type])
		if err != nil {
			return fmt.Errorf("param %q: %w", p.Name, err)
		}
		root.params[p.Name] = s
	}
	return nil
}
