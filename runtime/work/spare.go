package work

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// Spares are places of steps that are used again. Making and removing half a dozen directories takes longer than a
// small step: what a step left as untouched as it got it is renamed for the next one. A few are kept for later runs.
type Spares struct {
	run  Run
	mode uint32

	mu   sync.Mutex
	free []string
	none bool // earlier runs have left none
}

// maxKept is how many places are kept for later runs.
const maxKept = 4

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

// takeKept takes a place that an earlier run has left. Of several that want one, the kernel gives it to one.
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

// Keep leaves spare places to later runs. None can be taken from then on.
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
