// Package store stores the artifacts and the records of runs: objects by key, in a directory (Local) or, behind the same
// interface, in a bucket. On top of the interface there are content by digest (Save, Fetch), which is verified whenever it
// is read, code bundles (Pack), and JSON records (ReadJSON, WriteJSON).
//
// It knows nothing of runs or steps, takes no locks, and removes nothing but its own temporary files and what Remove names. Package stores opens
// the store of a stack. docs/internals/store.md describes what a store promises.
package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"pipec.dev/pipec/schema/record"
)

// ErrNotExist is returned by Get and Stat if there is no object at the key.
var ErrNotExist = errors.New("no such object")

// ErrExists is returned by Put with IfAbsent if the object exists.
var ErrExists = errors.New("the object already exists")

// Mode is what Put does if the object exists.
type Mode int

// The modes of Put.
const (
	Replace  Mode = iota // the new object replaces it atomically
	IfAbsent             // Put returns ErrExists; of several writers one wins
)

// Info describes an object without its content.
type Info struct {
	Size    int64
	ModTime time.Time
}

// Store stores objects by key. An object appears whole or not at all, and every reader sees it from then on.
// Implementations are safe for concurrent use, by several processes too.
type Store interface {
	// Get streams an object.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Put writes everything that r returns as an object. If r fails, nothing is written.
	Put(ctx context.Context, key string, r io.Reader, mode Mode) error
	// Stat returns the size and the time of an object.
	Stat(ctx context.Context, key string) (Info, error)
	// List yields the keys that start with prefix and come after the key after ("": all), in byte order.
	List(ctx context.Context, prefix, after string) iter.Seq2[string, error]
}

const (
	maxKey     = 1024 // as S3 has it
	maxSegment = 255  // as file systems have it
	tempDir    = ".tmp"
)

// CheckKey returns an error if a key is not valid: keys are relative, slash-separated, without `.` and `..`, and printable.
func CheckKey(key string) error {
	if key == "" || len(key) > maxKey || !utf8.ValidString(key) {
		return fmt.Errorf("store: %q can't be a key", shorten(key))
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "", segment == ".", segment == "..", segment == tempDir, len(segment) > maxSegment,
			strings.ContainsFunc(segment, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }):
			return fmt.Errorf("store: %q can't be a key: %q can't be a part of one", shorten(key), shorten(segment))
		}
	}
	return nil
}

// shorten shortens a name for a message.
func shorten(s string) string { return record.Shorten(s, 80) }

// contextReader fails when the context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, context.Cause(c.ctx)
	}
	return c.r.Read(p)
}
