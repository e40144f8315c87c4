// Package lockfile reads and writes pipec.lock.json, the file in a project's directory in which push records digests
// for the names in the source: see program.Lock. It makes no requests to registries or stores.
//
// The file is committed to version control. Therefore it is sorted, with one entry per line, has the same bytes for the
// same lock, and is only written if something has changed. A file that can't be read, for example because of a merge
// conflict, is rejected with the position.
package lockfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"pipec.dev/pipec/schema/program"
)

// maxSize limits the size of a lock: enough for a hundred thousand entries.
const maxSize = 32 << 20

// Error explains why a lock can't be used. It is a fault of the project's files.
type Error struct {
	File   string // path, starting with the project's directory as given
	Line   int    // from 1; 0: the whole file
	Column int    // in bytes, from 1
	Text   string
	Hint   string // what to do
}

func (e *Error) Error() string {
	at := e.File
	if e.Line > 0 {
		at = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
	}
	if e.Hint == "" {
		return at + ": " + e.Text
	}
	return at + ": " + e.Text + "; " + e.Hint
}

// Load reads the lock of the project in dir. It returns an empty lock if there is none. Errors in the file are *Error;
// other errors are about the disk.
func Load(dir string) (*program.Lock, error) {
	name := filepath.Join(dir, program.LockFile)
	data, err := read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &program.Lock{Version: program.LockVersion}, nil
	}
	if err != nil {
		return nil, err
	}
	return Decode(name, data)
}

func read(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{File: name, Text: "is not a file", Hint: "move it away"}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, &Error{File: name, Text: fmt.Sprintf("is larger than %d MB, which is too large for a lock", maxSize>>20), Hint: remake}
	}
	return data, nil
}

// Encode encodes the lock as its file.
func Encode(l *program.Lock) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"version\": %d", program.LockVersion)
	err := errors.Join(section(&b, "agents", l.Agents), section(&b, "codes", l.Codes), section(&b, "images", l.Images),
		section(&b, "builds", l.Builds), section(&b, "packages", l.Packages), section(&b, "clusters", l.Clusters),
		section(&b, "recipes", l.Recipes))
	b.WriteString("\n}\n")
	return b.Bytes(), err
}

func section[T any](b *bytes.Buffer, name string, entries map[string]T) error {
	if len(entries) == 0 {
		return nil
	}
	fmt.Fprintf(b, ",\n  %q: {", name)
	between := "\n    "
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		b.WriteString(between)
		if err := writeJSON(b, key); err != nil {
			return err
		}
		b.WriteString(": ")
		if err := writeJSON(b, entries[key]); err != nil {
			return err
		}
		between = ",\n    "
	}
	b.WriteString("\n  }")
	return nil
}

// writeJSON writes a value without the newline that json.Encoder adds.
func writeJSON(b *bytes.Buffer, v any) error {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	b.Truncate(len(bytes.TrimRight(b.Bytes(), "\n")))
	return err
}
