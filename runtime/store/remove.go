package store

import (
	"context"
	"errors"
	"fmt"
)

// Remover is a Store that can remove objects. pipec removes the records of runs that a user deletes, and nothing else.
type Remover interface {
	// Remove removes the object at key, and all objects whose keys begin with key and a slash. It is not an error if there
	// are none.
	Remove(ctx context.Context, key string) error
}

// ErrNotRemover is returned by Remove for a store that can't remove objects.
var ErrNotRemover = errors.New("the artifact store can't remove objects")

// Remove removes the object at key, and all objects below it.
func Remove(ctx context.Context, s Store, key string) error {
	r, ok := As[Remover](s)
	if !ok {
		return ErrNotRemover
	}
	return r.Remove(ctx, key)
}

// Remove removes the file or the directory.
func (l *Local) Remove(_ context.Context, key string) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if err := l.root.RemoveAll(key); err != nil {
		return fmt.Errorf("store: can't remove %s: %w", key, err)
	}
	return nil
}
