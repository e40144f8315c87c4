package engine

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// earlierOutput is an output of an earlier run.
type earlierOutput struct {
	of      *program.LastSuccess
	*source // its datum is nil, and its value null, if no run has left it
}

// readEarlier reads the outputs of earlier runs that the run was given.
func (ev *evaluator) readEarlier() error {
	ev.earlier = map[string]*earlierOutput{}
	for i := range ev.program.LastSuccess {
		l := &earlierOutput{of: &ev.program.LastSuccess[i]}
		var datum *record.Datum
		if err := ev.types.read("last_success of", l.of.Output, l.of.Type); err != nil {
			return err
		}
		t := ev.types[l.of.Type]
		l.source = known(cty.NullVal(t))
		for j := range ev.run.LastSuccess {
			if found := &ev.run.LastSuccess[j]; found.Pipeline == l.of.Pipeline && found.Datum.Name == l.of.Output {
				datum = &found.Datum
			}
		}
		if datum != nil {
			l.source = recorded(datum, t)
			if err := l.check(); err != nil {
				return fmt.Errorf("%s: %w", l.of.Ref(), err)
			}
		} else if l.of.Required {
			return fmt.Errorf("the run has no value for %s", l.of.Ref())
		}
		ev.earlier[l.of.Ref()] = l
	}
	return nil
}

func (r *reader) earlierValue(l *earlierOutput) (cty.Value, error) {
	v, err := r.give(l.source)
	if l.datum == nil {
		r.missing = fmt.Sprintf("no run of %s has succeeded yet and written %s", l.of.Pipeline, l.of.Output)
	} else {
		r.readType = l.of.Type
	}
	return v, err
}
