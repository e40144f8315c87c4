//go:build !linux

package store

import (
	"errors"
	"os"
)

// clone is supported on Linux only; elsewhere the bytes are copied.
func clone(_, _ *os.File) error { return errors.ErrUnsupported }
