package remote

import "hash/maphash"

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
