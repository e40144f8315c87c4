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

// storeOf reads the artifact store from the environment.
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

// open opens a store; memory bounds the bytes of objects that it holds while it reads and writes.
func (a *agent) open(ctx context.Context, s program.Store, memory int64) (stores.Store, error) {
	return stores.Builtin().Open(ctx, s, stores.Options{Environ: a.lookup, Memory: memory})
}

// patient wraps a store so that it retries while the store can't be reached, and logs that once an outage.
func (a *agent) patient(s store.Store, grace time.Duration) store.Store {
	return store.Retrying(s, grace, func(err error) { a.say("waiting for the artifact store: %s", err) })
}
