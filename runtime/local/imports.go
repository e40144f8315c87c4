package local

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"pipec.dev/pipec/runtime/imports"
	"pipec.dev/pipec/schema/record"
)

// imports brings the artifacts that the run is started with into the store.
func (d *driver) imports(ctx context.Context, run *record.Run) error {
	o := imports.Options{Project: d.project, Stack: d.o.Stack.ArtifactStore, Environ: d.lookupEnv}
	var mu sync.Mutex // nothing else is told meanwhile
	what, since, told := "", now(), false
	say := func() {
		if told && d.o.Observe != nil {
			d.o.Observe(record.Event{Version: record.Version, Type: record.StepWaiting, At: since, Run: run.Name, Text: what})
		}
	}
	begin := func(text string) {
		mu.Lock()
		defer mu.Unlock()
		what = text
		say()
	}
	o.Begin = func(i *record.Import) {
		begin("the import of " + i.Name + " from " + strings.TrimPrefix(i.Source, record.FromFile))
	}
	slow := time.AfterFunc(time.Second, func() {
		mu.Lock()
		defer mu.Unlock()
		if told = what != ""; told {
			say()
		}
	})
	err := imports.Fetch(ctx, d.store, o, run.Imports)
	slow.Stop()
	begin("")
	var fault *imports.Fault
	if errors.As(err, &fault) && !fault.World {
		return refuse(RefusedImport, "%s", fault)
	}
	return err
}

func (d *driver) lookupEnv(name string) (string, bool) {
	value := d.o.getenv(name)
	return value, value != ""
}
