package store

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Preparer is a Store that writes an object faster if it knows in advance where the object will be.
type Preparer interface {
	// Prepare prepares for an object whose key is dir, a slash and a name. It may fail silently: Put does what is missing.
	Prepare(dir string)
}

// maxPrepared bounds the directories that are open for objects that were not written yet.
const maxPrepared = 256

// prepared holds directories that are open for the objects that will be in them. The zero value is ready to use.
type prepared struct {
	mu     sync.Mutex
	dirs   map[string]int // file descriptors
	closed bool
}

// Prepare creates the directory and opens it. A driver calls it while a step's process runs, so that the result of the step is
// stored sooner: without it, a chain of 100 steps that do nothing took 1.02 to 1.07 times as long (medians of 60 to 100 pairs of
// runs in memory; the CPU time is the same).
func (l *Local) Prepare(dir string) {
	if CheckKey(dir) != nil || !l.prepared.wants(dir) {
		return
	}
	if fd, err := l.openDir(dir); err == nil && !l.prepared.add(dir, fd) {
		_ = unix.Close(fd)
	}
}

// wants reports whether a directory can be added.
func (p *prepared) wants(dir string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.dirs[dir]
	return !ok && !p.closed && len(p.dirs) < maxPrepared
}

// add takes over fd, unless it reports false.
func (p *prepared) add(dir string, fd int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.dirs[dir]; ok || p.closed {
		return false
	}
	if p.dirs == nil {
		p.dirs = map[string]int{}
	}
	p.dirs[dir] = fd
	return true
}

// take returns the open directory, which the caller must close.
func (p *prepared) take(dir string) (fd int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fd, ok = p.dirs[dir]
	delete(p.dirs, dir)
	return fd, ok
}

// close closes all directories, now and later.
func (p *prepared) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fd := range p.dirs {
		_ = unix.Close(fd)
	}
	p.dirs, p.closed = nil, true
}
