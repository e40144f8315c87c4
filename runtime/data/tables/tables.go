// Package tables reads datasets: csv and parquet files, and numpy arrays. It passes their values to the builders of package stats,
// and keeps nothing of them.
package tables

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"pipec.dev/pipec/runtime/data/stats"
)

// The formats that can be read.
const (
	CSV     = "csv"
	Parquet = "parquet"
	NPY     = "npy"
)

// Error reports that a file is not valid.
type Error struct {
	Format string
	Line   int // in csv; 0: unknown
	Why    string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("line %d of the %s file: %s", e.Line, e.Format, e.Why)
	}
	return fmt.Sprintf("the %s file can't be read: %s", e.Format, e.Why)
}

// Array describes a numpy array.
type Array struct {
	Shape []int64 `json:"shape"`
	DType string  `json:"dtype"`
}

// Dataset is what a file contains.
type Dataset struct {
	Format string
	Table  *stats.Table
	Array  *Array // only of an array
}

// Read computes the statistics of a file. Its format is found by its first bytes. description is what the record of the artifact
// has after the name of the format, or "".
func Read(ctx context.Context, path, description string) (*Dataset, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	return read(ctx, f, info.Size(), description)
}

// file is what the readers need of a file.
type file interface {
	io.ReadSeeker
	io.ReaderAt
}

func read(ctx context.Context, f file, size int64, description string) (*Dataset, error) {
	var head [8]byte
	n, err := f.ReadAt(head[:], 0)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head[:n], []byte("PAR1")):
		t, err := readParquet(ctx, f, size)
		return &Dataset{Format: Parquet, Table: t}, err
	case bytes.HasPrefix(head[:n], []byte("\x93NUMPY")):
		t, a, err := readArray(ctx, f, size)
		return &Dataset{Format: NPY, Table: t, Array: a}, err
	}
	t, err := readCSV(ctx, f, texts(description))
	return &Dataset{Format: CSV, Table: t}, err
}
