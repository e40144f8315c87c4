package work

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Spares are places of steps that are used again. Making and removing half a dozen directories takes longer than a
// small step: what a step left as untouched as it got it is renamed for the next one.
type Spares struct {
	run  Run
	mode uint32

	mu   sync.Mutex
	free []string
}

// NewSpares are those of a run whose place is there.
func NewSpares(r Run) *Spares {
	s := &Spares{run: r}
	var info unix.Stat_t
	if unix.Stat(r.path, &info) == nil {
		s.mode = uint32(info.Mode) & 0o7777
	}
	return s
}

// Take makes a place for the first attempt of a step out of a spare one, and says whether it did. Where there is none,
// nothing is done.
func (s *Spares) Take(step string) bool {
	s.mu.Lock()
	last := len(s.free) - 1
	if last < 0 {
		s.mu.Unlock()
		return false
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

// Give offers the place of a step whose first attempt was its last one; false says that it can't be used again.
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

// pristine says whether there is nothing in the place but the directories that the wrapper makes for every step.
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

// attemptDirs are what the wrapper makes in the place of an attempt.
var attemptDirs = [...]string{"inputs", "outputs", "scratch"}

// holds opens a directory that has the mode that it was made with and these entries, all of them and no others; -1: it
// isn't so. It is asked after every step, so it takes as few calls as can be.
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
