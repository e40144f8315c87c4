package work

import (
	"os"
	"path/filepath"
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

// Take makes a place for the first attempt of a step out of a spare one. Where there is none, nothing is done.
func (s *Spares) Take(step string) {
	s.mu.Lock()
	last := len(s.free) - 1
	if last < 0 {
		s.mu.Unlock()
		return
	}
	from := s.free[last]
	s.free = s.free[:last]
	s.mu.Unlock()
	if os.Rename(from, s.run.Step(step)) != nil {
		_ = Remove(from)
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
	attempt := filepath.Join(path, "1")
	dirs := []string{"inputs", "outputs", "scratch"}
	if !s.holds(path, "1") || !s.holds(attempt, dirs...) {
		return false
	}
	for _, dir := range dirs {
		if !s.holds(filepath.Join(attempt, dir)) {
			return false
		}
	}
	return true
}

// holds says whether there is a directory with the mode that it was made with and no entries but these. It is asked
// after every step, so it takes as few calls as can be.
func (s *Spares) holds(path string, names ...string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var info unix.Stat_t
	if unix.Fstat(fd, &info) != nil || uint32(info.Mode)&0o7777 != s.mode {
		return false
	}
	var buf [1024]byte
	n, err := unix.ReadDirent(fd, buf[:])
	if err != nil {
		return false
	}
	_, _, found := unix.ParseDirent(buf[:n], -1, nil)
	for _, name := range found {
		if !slices.Contains(names, name) {
			return false
		}
	}
	return true
}
