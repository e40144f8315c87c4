package remote

import (
	"bytes"
	"hash/maphash"
)

// maxLine is the length in bytes at which long lines are split, as in the wrapper.
const maxLine = 64 << 10

// splitter splits a log into lines, as the wrapper does. It calls line with each line without its end, and with the number
// of bytes of the log that the line takes up.
type splitter struct {
	line func(text []byte, size int) error
	buf  []byte
}

func (s *splitter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		whole := end >= 0
		if !whole {
			end = len(p)
		}
		if room := maxLine - len(s.buf); end > room {
			s.buf = append(s.buf, p[:room]...)
			p = p[room:]
			if err := s.flush(0); err != nil {
				return 0, err
			}
			continue
		}
		s.buf = append(s.buf, p[:end]...)
		if !whole {
			return n, nil
		}
		p = p[end+1:]
		if err := s.flush(1); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// Flush calls line with an incomplete last line.
func (s *splitter) Flush() error {
	if len(s.buf) == 0 {
		return nil
	}
	return s.flush(0)
}

func (s *splitter) flush(end int) error {
	size := len(s.buf) + end
	text := bytes.TrimSuffix(s.buf, []byte("\r"))
	err := s.line(text, size)
	s.buf = s.buf[:0]
	return err
}

// seed is the seed of all hashes of lines. They are valid in this process only.
var seed = maphash.MakeSeed()

// shownLines are the lines of a log that were shown from a stream, which may have lost lines. The stored log is compared
// with them. Their number is limited: see streamLimit.
type shownLines struct {
	hashes []uint64
	bytes  int64
}

func (s *shownLines) add(text []byte, size int) {
	s.hashes = append(s.hashes, maphash.Bytes(seed, text))
	s.bytes += int64(size)
}

// counts returns how often each line was shown, by hash.
func (s *shownLines) counts() map[uint64]int {
	out := make(map[uint64]int, len(s.hashes))
	for _, h := range s.hashes {
		out[h]++
	}
	return out
}
