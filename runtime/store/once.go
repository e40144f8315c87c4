package store

import (
	"context"
	"errors"
	"strings"
)

// onceKey is where ProveOnce writes: where whoever coordinates runs may write.
const onceKey = "runs/.write-once"

// ErrOnce says that a store doesn't keep what may be written once.
var ErrOnce = errors.New("it writes an object a second time that may be written once: it doesn't honour If-None-Match, " +
	"and two runs could take each other's place; use a store that does (AWS S3, MinIO, Ceph, versitygw)")

// ProveOnce proves that the store refuses to write an object that is there already, as IfAbsent has it: the records of
// runs rest on that. It is ErrOnce where it isn't so. It takes one request where it was proven before, and leaves one
// small object.
func ProveOnce(ctx context.Context, s Store) error {
	for range 2 {
		err := s.Put(ctx, onceKey, strings.NewReader("written once\n"), IfAbsent)
		if errors.Is(err, ErrExists) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ErrOnce
}
