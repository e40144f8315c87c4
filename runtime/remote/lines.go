package remote

import (
	"bytes"
	"hash/maphash"
)

// maxLine is where longer lines are cut, as the wrapper cuts them.
const maxLine = 64 << 10

// splitter cuts a log into lines as the wrapper does. Each is given without its end, and with the number of bytes of the
// log that it stands for.
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

// Flush gives the last line, where nothing ends it.
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

// seed is that of all hashes of lines: they don't leave the process.
var seed = maphash.MakeSeed()

// shown are the lines of a log that were shown out of a stream which may have lost some of them: what the stored log is
// compared with. The stream is left long before there are many (see streamLimit).
type shown struct {
	hashes []uint64
	bytes  int64
}

func (s *shown) add(text []byte, size int) {
	s.hashes = append(s.hashes, maphash.Bytes(seed, text))
	s.bytes += int64(size)
}

// counts is how often each line was shown.
func (s *shown) counts() map[uint64]int {
	out := make(map[uint64]int, len(s.hashes))
	for _, h := range s.hashes {
		out[h]++
	}
	return out
}
