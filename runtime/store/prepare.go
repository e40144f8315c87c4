package store

import (
	"errors"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Preparer is a Store that writes faster where it was told before of what will be written.
type Preparer interface {
	// Prepare makes ready for an object whose key is dir, a slash and a name. It may be left out, and may fail silently:
	// Put does what is missing.
	Prepare(dir string)
}

// maxReady bounds what Prepare makes that no Put has asked for yet.
const maxReady = 256

// prepared is a directory that is held open: the attempts of a run are beneath one.
type prepared struct {
	name string
	fd   int // -1: none
}

// Prepare makes the directory, those above it and the temporary file: on a busy disk that takes longer than all else
// that Put does. It holds them open for Put.
func (l *Local) Prepare(dir string) {
	if CheckKey(dir) != nil {
		return
	}
	parent, name := path.Split(dir)
	over, under := path.Split(strings.TrimSuffix(parent, "/"))
	if over == "" || under == "" || name == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.ready[dir]; there || l.ready == nil || len(l.ready) >= maxReady {
		return
	}
	// Mostly what is missing are the last two.
	fd, err := l.makeBeneath(strings.TrimSuffix(over, "/"), under, name)
	if errors.Is(err, unix.ENOENT) { // what is held open was removed
		l.forget()
		fd, err = l.makeBeneath(strings.TrimSuffix(over, "/"), under, name)
	}
	if err != nil {
		return
	}
	w, err := l.create()
	if err != nil {
		_ = unix.Close(fd)
		return
	}
	w.dir = fd
	l.ready[dir] = w
}

// makeBeneath makes over/under/name, and opens it. The lock is held.
func (l *Local) makeBeneath(over, under, name string) (int, error) {
	if l.last.name != over || l.last.fd < 0 {
		top, err := l.openDir(over)
		if err != nil {
			return -1, err
		}
		l.forget()
		l.last = prepared{over, top}
	}
	sub, err := makeDirAt(l.last.fd, under)
	if err != nil {
		return -1, err
	}
	defer unix.Close(sub)
	return makeDirAt(sub, name)
}

// makeDirAt opens a directory, and makes it first where it is missing. A link that someone put there would lead out of
// the store: Put, which follows none, is left to say so.
func makeDirAt(dir int, name string) (int, error) {
	if err := unix.Mkdirat(dir, name, 0o777); err != nil && !errors.Is(err, unix.EEXIST) {
		return -1, err
	}
	return unix.Openat(dir, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}

// takeReady gives what Prepare has made for an object in dir to the caller. Where it has made nothing, that is only the
// temporary file.
func (l *Local) takeReady(dir string) (writing, error) {
	l.mu.Lock()
	w, ok := l.ready[dir]
	delete(l.ready, dir)
	l.mu.Unlock()
	if ok {
		return w, nil
	}
	return l.create()
}

func (l *Local) forget() {
	if l.last.fd >= 0 {
		_ = unix.Close(l.last.fd)
	}
	l.last = prepared{fd: -1}
}

// unprepare closes what Prepare has opened, and lets it open no more.
func (l *Local) unprepare() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
	for _, w := range l.ready {
		_ = unix.Close(w.file)
		closeDir(w.dir)
		_ = l.root.Remove(w.temp)
	}
	l.ready = nil
}
