package step

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// Task is a Spec with what the agent needs in addition: the store, and how long to wait for it.
type Task struct {
	Spec
	Store *program.Store `json:"store,omitempty"` // nil: from the environment
	// StoreGrace is how long to retry while the store is unavailable; 0: no retries.
	StoreGrace program.Duration `json:"store_grace,omitempty"`
}

const (
	zippedTask = "gz:"   // prefix of the base64 of a gzipped task
	storedTask = "blob:" // prefix of the digest of a task in the store

	maxPlainTask  = 8 << 10  // of a task that is stored in a variable as plain text, so that users can read it
	maxZippedTask = 32 << 10 // of a compressed task: Linux limits variables, and clusters limit objects
	maxTask       = 256 << 20
)

// EncodeTask encodes a task as the value of an environment variable: plain, compressed, or, if it is large, as the
// digest of an object in the store.
func EncodeTask(ctx context.Context, s store.Store, t *Task) (string, error) {
	data, err := store.EncodeJSON(t)
	if err != nil {
		return "", err
	}
	if len(data) <= maxPlainTask {
		return string(bytes.TrimSpace(data)), nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(data) // a buffer never fails
	if err := z.Close(); err != nil {
		return "", err
	}
	if text := base64.StdEncoding.EncodeToString(b.Bytes()); len(text) <= maxZippedTask {
		return zippedTask + text, nil
	}
	digest, err := store.PutBytes(ctx, s, data)
	if err != nil {
		return "", fmt.Errorf("the attempt's task can't be stored: %w", err)
	}
	return storedTask + digest, nil
}

// ScratchDir is the directory of the process's HOME.
func (s *Spec) ScratchDir() string { return filepath.Join(s.Root, scratchDir) }

// DecodeTask decodes a task that EncodeTask encoded.
func DecodeTask(ctx context.Context, s store.Store, text string) (*Task, error) {
	data, err := taskData(ctx, s, text)
	if err != nil {
		return nil, fmt.Errorf("the step's task: %w", err)
	}
	var t Task
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, fmt.Errorf("the step's task: %w", err)
	}
	return &t, t.check()
}

func taskData(ctx context.Context, s store.Store, text string) ([]byte, error) {
	if zipped, ok := strings.CutPrefix(text, zippedTask); ok {
		z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(zipped)))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(io.LimitReader(z, maxTask))
	}
	if digest, ok := strings.CutPrefix(text, storedTask); ok {
		if err := store.CheckDigest(digest); err != nil {
			return nil, err
		}
		data, err := store.ReadAll(ctx, s, record.BlobKey(digest))
		if err == nil && program.Digest(data) != digest {
			err = &store.CorruptError{Key: record.BlobKey(digest), Want: digest, Got: program.Digest(data)}
		}
		return data, err
	}
	return []byte(text), nil
}
