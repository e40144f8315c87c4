package project

import (
	"context"

	"pipec.dev/pipec/emit"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// Tables are the kinds that stacks can be built from, and the systems that programs can be written for. A nil table is
// pipec's own.
type Tables struct {
	Kinds   *kinds.Set
	Stores  stores.Set
	Targets emit.Set
}

// Filled returns the tables with pipec's own instead of nil.
func (t Tables) Filled() Tables {
	if t.Kinds == nil {
		t.Kinds = kinds.Builtin()
	}
	if t.Stores == nil {
		t.Stores = stores.Builtin()
	}
	if t.Targets == nil {
		t.Targets = emit.Builtin()
	}
	return t
}

// Tables returns the project's tables. None of them is nil.
func (p *Project) Tables() *Tables { return &p.o.Tables }

// OpenStore opens an artifact store of one of the project's stacks. It makes no requests yet. The caller closes the store.
func (p *Project) OpenStore(ctx context.Context, s program.Store) (stores.Store, error) {
	out, err := p.o.Tables.Stores.Open(ctx, s, stores.Options{Dir: p.dir})
	return out, fault.Env(err)
}
