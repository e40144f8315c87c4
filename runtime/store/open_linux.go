package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// open opens a file beneath the store's directory, in one call of the kernel; os.Root takes one for each part of the
// path, and is asked where the kernel is too old or the call is not allowed.
func (l *Local) open(name string, flags int, perm os.FileMode) (*os.File, error) {
	how := unix.OpenHow{
		Flags: uint64(flags) | unix.O_CLOEXEC, Mode: uint64(perm),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	}
	for {
		fd, err := unix.Openat2(int(l.top.Fd()), name, &how)
		switch {
		case err == nil:
			return os.NewFile(uintptr(fd), name), nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN): // EAGAIN: a rename went on beside it
			continue
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
			return l.root.OpenFile(name, flags, perm)
		}
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
}
