package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sys/unix"
)

// Put writes a temporary file and then gives it its name. It is on the way of every step: files are used here by their
// numbers, for os.File asks the kernel several times whether they can be watched, which these can't.
func (l *Local) Put(ctx context.Context, key string, r io.Reader, mode Mode) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	var name [8]byte
	_, _ = rand.Read(name[:]) // never fails
	temp := tempDir + "/" + hex.EncodeToString(name[:])
	fd, err := l.create(temp)
	if err != nil {
		return l.fault("write", key, err)
	}
	err = fill(ctx, fd, r)
	if cerr := unix.Close(fd); err == nil && !errors.Is(cerr, unix.EINTR) {
		err = cerr
	}
	left := true
	if err == nil {
		left, err = l.place(temp, key, mode)
	}
	if left {
		_ = l.root.Remove(temp)
	}
	if err != nil {
		return l.fault("write", key, err)
	}
	return nil
}

// create makes a temporary file, and its directory again where someone removed it.
func (l *Local) create(temp string) (int, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	fd, err := l.openFD(temp, flags, 0o444)
	if !errors.Is(err, fs.ErrNotExist) {
		return fd, err
	}
	if err := l.root.MkdirAll(tempDir, 0o777); err != nil {
		return -1, err
	}
	return l.openFD(temp, flags, 0o444)
}

// fill writes all that r gives. What is in memory already is written in one piece.
func fill(ctx context.Context, fd int, r io.Reader) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if b, ok := r.(*bytes.Reader); ok {
		_, err := b.WriteTo(fdWriter(fd))
		return err
	}
	_, err := io.CopyBuffer(onlyWriter{fdWriter(fd)}, onlyReader{contextReader{ctx, r}}, make([]byte, bufferSize))
	return err
}

// fdWriter writes to a file by its number.
type fdWriter int

func (w fdWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := unix.Write(int(w), p[written:])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return written, err
		case n == 0:
			return written, io.ErrShortWrite
		}
		written += n
	}
	return written, nil
}

// place gives the temporary file the name key. left says that it has its temporary name still, or as well.
func (l *Local) place(temp, key string, mode Mode) (left bool, err error) {
	dir, ok := l.takeReady(path.Dir(key))
	if ok {
		left, err = l.rename(temp, dir, path.Base(key), mode)
		_ = unix.Close(dir)
		if !errors.Is(err, fs.ErrNotExist) {
			return left, err
		}
		// Someone has removed the directory since.
	}
	if dir, err = l.openDir(path.Dir(key)); err != nil {
		return true, err
	}
	defer unix.Close(dir)
	return l.rename(temp, dir, path.Base(key), mode)
}

func (l *Local) rename(temp string, dir int, name string, mode Mode) (left bool, err error) {
	top := int(l.top.Fd())
	if mode != IfAbsent {
		err = unix.Renameat(top, temp, dir, name)
		return err != nil, err
	}
	// Each of the two fails where there is something, whoever was first.
	err = renameNew(top, temp, dir, name)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err != nil, err
	}
	return true, unix.Linkat(top, temp, dir, name, 0)
}

// openDir opens a directory, and makes it first where it is missing.
func (l *Local) openDir(name string) (int, error) {
	dir, err := l.openFD(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
	if !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	if err := l.root.MkdirAll(name, 0o777); err != nil {
		return -1, err
	}
	return l.openFD(name, os.O_RDONLY|unix.O_DIRECTORY, 0)
}
