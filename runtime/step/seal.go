package step

import (
	"bytes"
	"context"
	"errors"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/record"
)

// errForeign reports that the attempt's result.json was not written by the wrapper of this attempt, nor by its coordinator.
var errForeign = errors.New("its result.json was written by another program, and is not valid")

// encodeResult returns the content of result.json.
func encodeResult(r *record.Result, seal string) ([]byte, error) {
	data, err := store.EncodeJSON(r)
	return record.Seal(seal, record.SealResult, data), err
}

// write writes result.json if it does not exist.
func (a *attempt) write(ctx context.Context, key string) error {
	data, err := encodeResult(&a.result, a.d.Seal)
	if err != nil {
		return err
	}
	return a.d.Store.Put(ctx, key, bytes.NewReader(data), store.IfAbsent)
}

// written reads the result.json that another process has written. The wrapper does not vouch for one without its seal.
func (a *attempt) written(ctx context.Context, key string) (r record.Result, err error) {
	if a.d.Seal == "" {
		return store.ReadJSON[record.Result](ctx, a.d.Store, key)
	}
	data, err := store.ReadAll(ctx, a.d.Store, key)
	if err == nil && !record.Sealed(a.d.Seal, record.SealResult, data) {
		err = errForeign
	}
	if err == nil {
		err = store.DecodeJSON(data, &r)
	}
	return r, err
}
