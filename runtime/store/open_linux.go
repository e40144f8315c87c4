package store

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openFD opens a file beneath the store's directory with one system call. os.Root makes one for each part of the path; it
// is used if the kernel is too old or the call is not allowed. See Put for what that saves.
func (l *Local) openFD(name string, flags int, perm os.FileMode) (int, error) {
	how := unix.OpenHow{
		Flags: uint64(flags) | unix.O_CLOEXEC, Mode: uint64(perm),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS,
	}
	for {
		fd, err := unix.Openat2(int(l.top.Fd()), name, &how)
		switch {
		case err == nil:
			return fd, nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN): // EAGAIN: there was a rename at the same time
			continue
		case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EPERM):
			return l.openRoot(name, flags, perm)
		}
		return -1, &os.PathError{Op: "open", Path: name, Err: err}
	}
}

// renameNew renames a file if there is none of the new name. It returns ErrUnsupported if the file system can't do that.
func renameNew(fromDir int, from string, toDir int, to string) error {
	err := unix.Renameat2(fromDir, from, toDir, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return errors.ErrUnsupported
	}
	return err
}
