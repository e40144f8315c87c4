package step

import (
	"fmt"
	"io"
	"os"
	"slices"
)

const (
	spoolName = ".log" // in Spec.Root, for the moment in which it is created
	// spoolLimit is the number of segments that are spooled. It has to be small beside the disk that a pod may use.
	spoolLimit = 64
)

// spool keeps segments of a log on disk while the store can't be reached. If it is full, it drops segments from the middle:
// the beginning and the end of a log are needed most. It is not safe for concurrent use.
type spool struct {
	open   func() (spoolFile, error)
	file   spoolFile // nil: it is not open
	limit  int       // of slots
	slots  int       // of the file, each of segmentSize
	free   []int     // slots that are not used
	chunks []chunk
	lost   int64 // bytes that were dropped after the last chunk
}

// spoolFile is the file of a spool.
type spoolFile interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
}

// chunk is a segment in a spool.
type chunk struct {
	slot, size int
	lost       int64 // bytes that were dropped before it
}

// newSpool returns a spool whose file has no name after it was created: it vanishes with the wrapper.
func newSpool(path string) spool {
	return spool{limit: spoolLimit, open: func() (spoolFile, error) {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, err
		}
		return f, os.Remove(path)
	}}
}

// empty reports whether there is nothing to pop.
func (s *spool) empty() bool { return len(s.chunks) == 0 && s.lost == 0 }

// full reports whether a push drops something.
func (s *spool) full() bool { return len(s.free) == 0 && s.slots >= s.limit }

// push appends a segment of at most segmentSize. If there is no room on the disk, it drops some of the log.
func (s *spool) push(p []byte) {
	for {
		slot, ok := s.slot()
		if !ok {
			s.lost += int64(len(p))
			return
		}
		if s.write(slot, p) == nil {
			s.chunks = append(s.chunks, chunk{slot, len(p), s.lost})
			s.lost = 0
			return
		}
		s.limit = len(s.chunks) // the disk is full: use the room that there is
		s.slots, s.free = min(s.slots, s.limit), nil
	}
}

// slot returns a slot for the next segment. It may drop the middle one. It reports false if there is no slot.
func (s *spool) slot() (int, bool) {
	if n := len(s.free) - 1; n >= 0 {
		slot := s.free[n]
		s.free = s.free[:n]
		return slot, true
	}
	if s.slots < s.limit {
		s.slots++
		return s.slots - 1, true
	}
	if len(s.chunks) == 0 {
		return 0, false
	}
	i := len(s.chunks) / 2
	gone := s.chunks[i]
	s.chunks = append(s.chunks[:i], s.chunks[i+1:]...)
	if lost := gone.lost + int64(gone.size); i < len(s.chunks) {
		s.chunks[i].lost += lost
	} else {
		s.lost += lost
	}
	return gone.slot, true
}

func (s *spool) write(slot int, p []byte) error {
	if s.file == nil {
		f, err := s.open()
		if err != nil {
			return err
		}
		s.file = f
	}
	_, err := s.file.WriteAt(p, int64(slot)*segmentSize)
	return err
}

// pop removes the first segment and appends it to into, after a note about what was dropped before it. It must not be called
// if the spool is empty.
func (s *spool) pop(into []byte) []byte {
	if len(s.chunks) == 0 {
		into, s.lost, s.limit = appendLost(into, s.lost), 0, spoolLimit
		return into
	}
	c := s.chunks[0]
	s.chunks = s.chunks[1:]
	s.free = append(s.free, c.slot)
	noted := appendLost(into, c.lost)
	n := len(noted)
	noted = slices.Grow(noted, c.size)[:n+c.size]
	if _, err := s.file.ReadAt(noted[n:], int64(c.slot)*segmentSize); err != nil {
		noted = appendLost(into, c.lost+int64(c.size))
	}
	if len(s.chunks) == 0 { // give the disk back
		_ = s.file.Truncate(0)
		s.chunks, s.slots, s.free, s.limit = nil, 0, nil, spoolLimit
	}
	return noted
}

// appendLost appends a note about a part of the log that was dropped, if one was.
func appendLost(to []byte, n int64) []byte {
	if n == 0 {
		return to
	}
	return fmt.Appendf(to, "\npipec: %d bytes of the log are missing here: the store could not be reached, and there was no room to keep them\n", n)
}

// close removes the file.
func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
}
