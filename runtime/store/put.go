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
	w, err := l.takeReady(path.Dir(key))
	if err == nil {
		err = l.write(ctx, w, key, r, mode)
	}
	if err != nil {
		return l.fault("write", key, err)
	}
	return nil
}

// writing is an object on its way.
type writing struct {
	temp string // the name of the temporary file
	file int
	dir  int // where the object will be; -1: not opened yet
}

// write fills the temporary file and places it. What is open of w is closed, and what doesn't become the object is
// removed.
func (l *Local) write(ctx context.Context, w writing, key string, r io.Reader, mode Mode) error {
	err := fill(ctx, w.file, r)
	if cerr := unix.Close(w.file); err == nil && !errors.Is(cerr, unix.EINTR) {
		err = cerr
	}
	left := true
	if err == nil {
		left, err = l.place(w, key, mode)
	}
	closeDir(w.dir)
	if left {
		_ = l.root.Remove(w.temp)
	}
	return err
}

func closeDir(dir int) {
	if dir >= 0 {
		_ = unix.Close(dir)
	}
}

// create makes a temporary file, and its directory again where someone removed it.
func (l *Local) create() (writing, error) {
	var name [8]byte
	_, _ = rand.Read(name[:]) // never fails
	w := writing{temp: tempDir + "/" + hex.EncodeToString(name[:]), dir: -1}
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	var err error
	if w.file, err = l.openFD(w.temp, flags, 0o444); !errors.Is(err, fs.ErrNotExist) {
		return w, err
	}
	if err := l.root.MkdirAll(tempDir, 0o777); err != nil {
		return w, err
	}
	w.file, err = l.openFD(w.temp, flags, 0o444)
	return w, err
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
func (l *Local) place(w writing, key string, mode Mode) (left bool, err error) {
	if w.dir >= 0 {
		left, err = l.rename(w.temp, w.dir, path.Base(key), mode)
		if !errors.Is(err, fs.ErrNotExist) {
			return left, err
		}
		// Someone has removed the directory since it was opened.
	}
	dir, err := l.openDir(path.Dir(key))
	if err != nil {
		return true, err
	}
	defer unix.Close(dir)
	return l.rename(w.temp, dir, path.Base(key), mode)
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
