package kube

import (
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// tell writes an event for those who watch. They may come late, or not at all: nothing depends on them.
func (d *driver) tell(e record.Event) {
	if data, err := store.EncodeJSON(&e); err == nil && d.o.Out != nil {
		_, _ = d.o.Out.Write(data)
	}
}

// warn tells of what the run goes on without.
func (d *driver) warn(step, text string) {
	d.tell(record.Event{Version: record.Version, Type: record.Warned, At: now(), Run: d.run.Name, Step: step, Text: text})
}

func (d *driver) tellEnd(end *record.End) {
	d.tell(record.Event{Version: record.Version, Type: record.RunEnded, At: end.At, Run: d.run.Name, RunEnd: end})
}
