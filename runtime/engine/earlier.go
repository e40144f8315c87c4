package engine

import (
	"fmt"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// earlierOutput is an output of an earlier run.
type earlierOutput struct {
	of    *program.LastSuccess
	datum *record.Datum // nil: no run has left it
	value cty.Value     // null if there is no datum
}

// readEarlier decodes the outputs of earlier runs that the run was given.
func (ev *evaluator) readEarlier() error {
	ev.earlier = map[string]*earlierOutput{}
	for i := range ev.program.LastSuccess {
		l := &earlierOutput{of: &ev.program.LastSuccess[i]}
		if err := ev.types.read("last_success of", l.of.Output, l.of.Type); err != nil {
			return err
		}
		t := ev.types[l.of.Type]
		l.value = cty.NullVal(t)
		for j := range ev.run.LastSuccess {
			if found := &ev.run.LastSuccess[j]; found.Pipeline == l.of.Pipeline && found.Datum.Name == l.of.Output {
				l.datum = &found.Datum
			}
		}
		if l.datum != nil {
			var err error
			if l.value, err = decode(l.datum, t); err != nil {
				return fmt.Errorf("%s: %w", l.of.Ref(), err)
			}
		} else if l.of.Required {
			return fmt.Errorf("the run has no value for %s", l.of.Ref())
		}
		ev.earlier[l.of.Ref()] = l
	}
	return nil
}

func (r *reader) earlierValue(l *earlierOutput) cty.Value {
	if l.datum == nil {
		r.missing = fmt.Sprintf("no run of %s has succeeded yet and written %s", l.of.Pipeline, l.of.Output)
	} else {
		r.read, r.readType = l.datum, l.of.Type
	}
	return l.value
}
