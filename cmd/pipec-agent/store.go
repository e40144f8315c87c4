package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// openStore is a store that is open.
type openStore interface {
	store.Store
	io.Closer
}

// storeOf is what the environment says of the store.
func (a *agent) storeOf() (program.Store, error) {
	var s program.Store
	text := a.getenv(kube.EnvStore)
	if text == "" {
		return s, fmt.Errorf("%s is not set: it must contain the location of the artifact store", kube.EnvStore)
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("%s: %w", kube.EnvStore, err)
	}
	return s, nil
}

// open opens a store; memory bounds what it holds of what it carries, in bytes.
func (a *agent) open(ctx context.Context, s program.Store, memory int64) (openStore, error) {
	switch s.Kind {
	case "local":
		return store.OpenLocal(s.Path)
	case "s3":
		return s3.Open(ctx, s, s3.Options{Environ: a.lookup, Memory: memory})
	}
	return nil, fmt.Errorf("the artifact store is of kind %q, but this agent supports local and s3", s.Kind)
}

// patient waits for a store that is away, and says so.
func (a *agent) patient(s store.Store, grace time.Duration) store.Store {
	return store.Patient(s, grace, func(err error) { a.say("waiting for the artifact store: %s", err) })
}
