package definitions

import (
	"context"

	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
)

// readable opens the stack's artifact store and checks it, before anything is pushed or applied.
func (d *Definitions) readable(ctx context.Context, stack *program.Stack, namespace string) error {
	s, err := d.OpenStore(ctx, stack.ArtifactStore)
	if err != nil {
		return err
	}
	defer s.Close()
	return d.CheckStore(ctx, s, namespace)
}

// CheckStore returns a fault if the artifact store can't be read, because no run could use it: the bucket is missing, or
// the store rejects the credentials. A store that does not respond is only noted, because the cluster may reach a store
// that this machine can't reach.
func (d *Definitions) CheckStore(ctx context.Context, s store.Store, namespace string) error {
	within, cancel := context.WithTimeout(ctx, queryTimeout)
	defer cancel()
	err := store.Readable(within, s, namespace)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Interruption(ctx, err)
	case within.Err() != nil, store.ClassOf(err) == store.Transient:
		d.Notify(notice.Infof("The artifact store could not be checked: %v", err))
		return nil
	}
	return &fault.Fault{Kind: fault.Environment, Message: err.Error(), Hint: "Nothing was applied. `pipec stack check` checks the store again.", Err: err}
}
