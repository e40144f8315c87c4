// Package mask replaces secrets in text by ***, in the forms in which programs usually print them: as they are, without
// white space at their ends, line by line, as a part of JSON, of a URL, of base64, and quoted.
//
// It does not know where secrets come from, and it can't find a secret in any other form: reversed, compressed,
// encrypted, in hexadecimal, or with characters between its own.
package mask

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sort"
	"strings"
)

const (
	// Min is the shortest text that is masked, in bytes. Shorter ones would hide ordinary text.
	Min = 4
	// MinLine is the shortest single line of a secret of several lines that is masked, in bytes.
	MinLine = 8
	// Mask is written instead of a secret.
	Mask = "***"
)

// Set is the texts that are masked: secrets in all their forms. It is safe for concurrent use. A nil Set masks nothing.
type Set struct {
	texts  []string // sorted, each once
	within []int32  // for each text: the longest other text that it starts with, or -1

	// A filter that most positions of ordinary text don't pass: the first bytes, and a bit for the hash of the first
	// Min bytes.
	first [256]bool
	bits  []uint64
	shift uint
}

// New returns the set of some secrets, or nil if none of them can be masked.
func New(secrets map[string]string) *Set {
	if len(secrets) == 0 {
		return nil
	}
	all := map[string]struct{}{}
	for _, secret := range secrets {
		forms(secret, func(text string) {
			if len(text) >= Min {
				all[text] = struct{}{}
			}
		})
	}
	if len(all) == 0 {
		return nil
	}
	s := &Set{texts: make([]string, 0, len(all))}
	for text := range all {
		s.texts = append(s.texts, text)
	}
	slices.Sort(s.texts)
	s.link()
	s.filter()
	return s
}

// link computes within. In sorted order, the texts that a text starts with are before it, and each of them is a start
// of all texts between.
func (s *Set) link() {
	s.within = make([]int32, len(s.texts))
	for i := range s.texts {
		j := int32(i) - 1
		for j >= 0 && !strings.HasPrefix(s.texts[i], s.texts[j]) {
			j = s.within[j]
		}
		s.within[i] = j
	}
}

func (s *Set) filter() {
	size := max(16, bits.Len(uint(len(s.texts)*64)))
	s.shift = uint(32 - size)
	s.bits = make([]uint64, 1<<(size-6))
	for _, text := range s.texts {
		s.first[text[0]] = true
		h := s.hash([]byte(text[:Min]))
		s.bits[h>>6] |= 1 << (h & 63)
	}
}

func (s *Set) hash(b []byte) uint32 { return binary.LittleEndian.Uint32(b) * 0x9E3779B1 >> s.shift }

// next returns the first position from i on at which a text may start.
func (s *Set) next(b []byte, i int) int {
	for ; i+Min <= len(b); i++ {
		if !s.first[b[i]] {
			continue
		}
		if h := s.hash(b[i:]); s.bits[h>>6]>>(h&63)&1 != 0 {
			return i
		}
	}
	for ; i < len(b); i++ {
		if s.first[b[i]] {
			return i
		}
	}
	return i
}

// after returns the index of the first text that sorts after b. All texts that b starts with are the text before it,
// or are within that one.
func (s *Set) after(b []byte) int {
	return sort.Search(len(s.texts), func(i int) bool { return s.texts[i] > string(b) })
}

// match returns the length of the longest text that b starts with, and reports whether b may be the start of a longer
// one.
func (s *Set) match(b []byte) (n int, open bool) {
	i := s.after(b)
	open = i < len(s.texts) && len(s.texts[i]) > len(b) && s.texts[i][:len(b)] == string(b)
	for j := int32(i) - 1; j >= 0; j = s.within[j] {
		if text := s.texts[j]; len(text) <= len(b) && text == string(b[:len(text)]) {
			return len(text), open
		}
	}
	return 0, open
}

// matchCut returns the length of the longest start of a text that b starts with, if it is long enough to be a secret
// that was cut: the message ends there, or shows that it was cut.
func (s *Set) matchCut(b []byte) int {
	i, n := s.after(b), 0
	for _, j := range [...]int{i - 1, i} {
		if j >= 0 && j < len(s.texts) {
			n = max(n, common(s.texts[j], b))
		}
	}
	for ; n >= MinLine; n-- { // the quote at the end may also be the next character of the text
		rest := string(b[n:min(len(b), n+len("…"))])
		if rest == "" || strings.ContainsRune("\"'`…", []rune(rest)[0]) || strings.HasPrefix(rest, "...") {
			return n
		}
	}
	return 0
}

// common returns how many bytes at the start of both are equal.
func common(text string, b []byte) int {
	n := min(len(text), len(b))
	for i := range n {
		if text[i] != b[i] {
			return i
		}
	}
	return n
}

// String masks a message. It also masks a long start of a secret where the message was cut.
func (s *Set) String(message string) string {
	if s == nil {
		return message
	}
	var out strings.Builder
	w := Writer{set: s, w: &out, cuts: true}
	_, _ = w.Write([]byte(message))
	_ = w.Flush()
	return out.String()
}
