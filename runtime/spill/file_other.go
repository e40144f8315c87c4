//go:build !linux

package spill

import "errors"

// Release has nothing to do.
func (f *File) Release() {}

// keep is supported on Linux only, where coordinators run.
func (f *File) keep([]byte) ([]byte, error) { return nil, errors.ErrUnsupported }
