//go:build !linux

package spill

import "errors"

// keep is supported on Linux only, where coordinators run.
func (f *File) keep([]byte) ([]byte, error) { return nil, errors.ErrUnsupported }
