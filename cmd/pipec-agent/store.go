package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/stores"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// storeOf returns the store that the environment describes.
func (a *agent) storeOf() (program.Store, error) {
	var s program.Store
	text := a.getenv(kube.EnvStore)
	if text == "" {
		return s, fmt.Errorf("%s is not set: it must hold the artifact store", kube.EnvStore)
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("%s: %w", kube.EnvStore, err)
	}
	return s, nil
}

// open opens a store. memory limits the bytes in transit that the store holds.
func (a *agent) open(ctx context.Context, s program.Store, memory int64) (stores.Store, error) {
	return a.stores.Open(ctx, s, stores.Options{Environ: a.lookup, Memory: memory})
}

// patient returns a store that retries while the store is unavailable, and logs that.
func (a *agent) patient(s store.Store, grace time.Duration) store.Store {
	return store.Retrying(s, grace, func(err error) { a.say("waiting for the artifact store: %s", err) })
}
