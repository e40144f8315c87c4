package store

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// open is openFD for an os.File.
func (l *Local) open(name string, flags int, perm os.FileMode) (*os.File, error) {
	fd, err := l.openFD(name, flags, perm)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// openRoot opens a file by os.Root. The caller owns the file descriptor.
func (l *Local) openRoot(name string, flags int, perm os.FileMode) (int, error) {
	f, err := l.root.OpenFile(name, flags, perm)
	if err != nil {
		return -1, err
	}
	defer f.Close()
	// A process that is started between the two calls would inherit the file.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := unix.Dup(int(f.Fd()))
	if err != nil {
		return -1, os.NewSyscallError("dup", err)
	}
	unix.CloseOnExec(fd)
	return fd, nil
}
