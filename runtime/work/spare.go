package work

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Spares are directories of steps that are used again: creating and removing half a dozen directories takes longer than a
// small step. If a step left its directories empty, they are renamed for the next step. A few are kept for later runs.
//
// That saves about 30% of the CPU and wall time of a run of 100 steps that do nothing on ext4, and about 13% of the CPU
// time in memory (median of 31 pairs of runs).
type Spares struct {
	run  Run
	mode uint32

	mu   sync.Mutex
	free []string
	none bool // earlier runs have left none
}

// maxKept is the number of directories that are kept for later runs.
const maxKept = 4

// NewSpares returns the spares of a run whose directory exists.
func NewSpares(r Run) *Spares {
	s := &Spares{run: r}
	var info unix.Stat_t
	if unix.Stat(r.path, &info) == nil {
		s.mode = uint32(info.Mode) & 0o7777
	}
	return s
}

// Take makes a spare the directory of a step's first attempt, and reports whether there was one.
func (s *Spares) Take(step string) bool {
	s.mu.Lock()
	last := len(s.free) - 1
	if last < 0 {
		none := s.none
		s.mu.Unlock()
		return !none && s.takeKept(s.run.Step(step))
	}
	from := s.free[last]
	s.free = s.free[:last]
	s.mu.Unlock()
	if unix.Rename(from, s.run.Step(step)) != nil {
		_ = Remove(from)
		return false
	}
	return true
}

// takeKept takes a directory that an earlier run has left. If several processes try to, one rename succeeds.
func (s *Spares) takeKept(path string) bool {
	for i := range maxKept {
		if unix.Rename(s.run.kept(i), path) != nil {
			continue
		}
		if s.pristine(path) {
			return true
		}
		_ = Remove(path)
	}
	s.mu.Lock()
	s.none = true
	s.mu.Unlock()
	return false
}

// Keep leaves spares to later runs. None can be taken afterwards.
func (s *Spares) Keep() {
	s.mu.Lock()
	free := s.free
	s.free, s.none = nil, true
	s.mu.Unlock()
	if len(free) > 0 {
		_ = unix.Mkdir(s.run.spares(), 0o777)
	}
	for i := 0; i < maxKept && len(free) > 0; i++ {
		if unix.Rename(free[0], s.run.kept(i)) == nil { // it fails where there is one
			free = free[1:]
		}
	}
}

// Give offers the directory of a step whose first attempt was its last one. It reports whether it can be used again.
func (s *Spares) Give(step string) bool {
	path := s.run.Step(step)
	if !s.pristine(path) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, path)
	return true
}

// pristine reports whether a directory contains nothing but the directories that the wrapper creates for every step.
func (s *Spares) pristine(path string) bool {
	place := s.holds(unix.AT_FDCWD, path, "1")
	if place < 0 {
		return false
	}
	defer unix.Close(place)
	attempt := s.holds(place, "1", attemptDirs[:]...)
	if attempt < 0 {
		return false
	}
	defer unix.Close(attempt)
	for _, dir := range attemptDirs {
		fd := s.holds(attempt, dir)
		if fd < 0 {
			return false
		}
		_ = unix.Close(fd)
	}
	return true
}

// attemptDirs are the directories that the wrapper creates for an attempt.
var attemptDirs = [...]string{"inputs", "outputs", "scratch"}

// holds opens a directory that has its original mode and exactly these entries. It returns -1 if there is no such
// directory. It is called after every step, so it makes few system calls.
func (s *Spares) holds(in int, path string, names ...string) int {
	fd, err := unix.Openat(in, path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	var info unix.Stat_t
	if unix.Fstat(fd, &info) != nil || uint32(info.Mode)&0o7777 != s.mode {
		_ = unix.Close(fd)
		return -1
	}
	var buf [1024]byte
	n, err := unix.ReadDirent(fd, buf[:])
	if err == nil {
		_, _, found := unix.ParseDirent(buf[:n], -1, nil)
		for _, name := range found {
			if !slices.Contains(names, name) {
				err = unix.ENOTEMPTY
			}
		}
		if len(found) == len(names) && err == nil {
			return fd
		}
	}
	_ = unix.Close(fd)
	return -1
}
