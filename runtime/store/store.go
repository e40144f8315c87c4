// Package store keeps the artifacts and the records of runs: objects by key, in a directory (Local) or, behind the same
// interface, in a bucket. Over the interface stands content by digest (Save, Fetch), which is verified whenever it is
// read, code bundles (Pack), and JSON records (ReadJSON, WriteJSON).
//
// It knows nothing of runs or steps, takes no locks, and removes nothing but its own temporary files.
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
)

// ErrNotExist is what Get and Stat return for a key where nothing is.
var ErrNotExist = errors.New("no such object")

// ErrExists is what Put returns for IfAbsent where there is an object already.
var ErrExists = errors.New("the object exists already")

// Mode says what Put does where there is an object already.
type Mode int

// The modes of Put.
const (
	Replace  Mode = iota // the new object takes its place, at once and whole
	IfAbsent             // ErrExists; of several writers one wins
)

// Info is what is known of an object without reading it.
type Info struct {
	Size    int64
	ModTime time.Time
}

// Store is a place for objects. An object appears whole or not at all, and is seen by everyone from then on.
// Implementations are safe for concurrent use, by several processes too.
type Store interface {
	// Get streams an object.
	Get(ctx context.Context, key string) (io.ReadCloser, error)
	// Put writes an object of what r gives. Where r fails nothing is written.
	Put(ctx context.Context, key string, r io.Reader, mode Mode) error
	// Stat looks at an object.
	Stat(ctx context.Context, key string) (Info, error)
	// List gives the keys that start with prefix and come after the key after ("": all), in byte order.
	List(ctx context.Context, prefix, after string) iter.Seq2[string, error]
}

const (
	maxKey     = 1024 // as S3 has it
	maxSegment = 255  // as file systems have it
	tempDir    = ".tmp"
)

// CheckKey says what is wrong with a key: it is relative, slash-separated, without `.` and `..`, and printable.
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

func shorten(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}

// contextReader ends a copy when the context does.
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
