package store

import (
	"context"
	"errors"
	"strings"
)

// onceKey is where ProveOnce writes. Coordinators may write there.
const onceKey = "runs/.write-once"

// ErrOnce is returned if a store overwrites an object despite IfAbsent.
var ErrOnce = errors.New("the store overwrites objects that must be written once: it ignores If-None-Match, " +
	"so two runs could overwrite each other's records; use a store that supports it (AWS S3, MinIO, Ceph, versitygw)")

// ProveOnce proves that the store honours IfAbsent, which the records of runs depend on, and returns ErrOnce if it does
// not. It leaves one small object, so that the next proof takes one request.
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
