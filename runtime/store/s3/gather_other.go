//go:build !linux

package s3

import (
	"errors"
	"syscall"
)

func waitFor(syscall.RawConn, int) error { return errors.ErrUnsupported }
