package types

import (
	"bytes"
	"cmp"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// writer writes canonical JSON. The elements of the innermost list or object are kept in order of their start, so that they can be
// sorted at its end.
type writer struct {
	buf     []byte
	members []member // of all open lists and objects
}

// member is an element in buf. For an object, its key is in buf[start+1:colon-1].
type member struct{ start, colon int }

// level is an open list or object: the first of its members.
type level int

func (w *writer) begin(bracket byte) level {
	w.buf = append(w.buf, bracket)
	return level(len(w.members))
}

// element begins an element.
func (w *writer) element(l level) {
	if len(w.members) > int(l) {
		w.buf = append(w.buf, ',')
	}
	w.members = append(w.members, member{start: len(w.buf)})
}

// key ends the key of the current element.
func (w *writer) key() {
	w.members[len(w.members)-1].colon = len(w.buf)
	w.buf = append(w.buf, ':')
}

func (w *writer) end(l level, bracket byte) {
	w.members = w.members[:l]
	w.buf = append(w.buf, bracket)
}

func (w *writer) raw(text string) { w.buf = append(w.buf, text...) }

func (w *writer) string(s string) {
	w.buf = append(w.buf, '"')
	start := 0
	for i := range len(s) {
		switch b := s[i]; {
		case b < ' ' || b == '"' || b == '\\':
			w.buf = append(w.buf, s[start:i]...)
			w.rune(rune(b))
			start = i + 1
		case b == separators[0] && (strings.HasPrefix(s[i:], "\u2028") || strings.HasPrefix(s[i:], "\u2029")):
			w.buf = append(w.buf, s[start:i]...)
			w.rune(0x2028 | rune(s[i+2]&1))
			start = i + len(separators)
		}
	}
	w.buf = append(append(w.buf, s[start:]...), '"')
}

// separators is a character that is escaped although JSON doesn't require it, as encoding/json does. So is the next one, U+2029.
const separators = "\u2028"

// rune writes a character of a string.
func (w *writer) rune(r rune) {
	const digits = "0123456789abcdef"
	switch {
	case r == '"' || r == '\\':
		w.buf = append(w.buf, '\\', byte(r))
	case r == 0x2028 || r == 0x2029:
		w.buf = append(w.buf, `\u202`...)
		w.buf = append(w.buf, digits[r&15])
	case r >= ' ':
		w.buf = utf8.AppendRune(w.buf, r)
	default:
		if i := bytes.IndexByte([]byte("\b\f\n\r\t"), byte(r)); i >= 0 {
			w.buf = append(w.buf, '\\', "bfnrt"[i])
			return
		}
		w.buf = append(w.buf, '\\', 'u', '0', '0', digits[r>>4], digits[r&15])
	}
}

// current returns the index of the current element in members.
func (w *writer) current() int { return len(w.members) - 1 }

// keyAt returns the key of a member.
func (w *writer) keyAt(i int) string { return unquote(w.keyText(w.members[i])) }

// keyText returns the key of a member with its escapes, without the quotes.
func (w *writer) keyText(m member) []byte { return w.buf[m.start+1 : m.colon-1] }

func (w *writer) keys(l level) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, m := range w.members[l:] {
			if !yield(unquote(w.keyText(m))) {
				return
			}
		}
	}
}

// unquote decodes the text of a canonical string without its quotes.
func unquote(text []byte) string {
	if bytes.IndexByte(text, '\\') < 0 {
		return string(text)
	}
	var s string
	quoted := make([]byte, 0, len(text)+2)
	quoted = append(append(append(quoted, '"'), text...), '"')
	_ = json.Unmarshal(quoted, &s) // canonical text has only valid escapes
	return s
}

// sort sorts the members of an object by their keys. If a key is there twice, it returns the key and false.
func (w *writer) sort(l level) (twice string, ok bool) {
	members := w.members[l:]
	order := func(a, b member) int {
		x, y := w.keyText(a), w.keyText(b)
		if bytes.IndexByte(x, '\\') >= 0 || bytes.IndexByte(y, '\\') >= 0 {
			return cmp.Compare(unquote(x), unquote(y))
		}
		return bytes.Compare(x, y)
	}
	sorted := true
	for i := 1; i < len(members) && sorted; i++ {
		sorted = order(members[i-1], members[i]) < 0
	}
	if sorted {
		return "", true
	}
	rank := w.ranks(members)
	slices.SortStableFunc(rank, func(a, b span) int { return order(a.member, b.member) })
	for i := 1; i < len(rank); i++ {
		if order(rank[i-1].member, rank[i].member) == 0 {
			return unquote(w.keyText(rank[i].member)), false
		}
	}
	w.arrange(members, rank)
	return "", true
}

// span is a member with its end.
type span struct {
	member
	end int
}

func (w *writer) ranks(members []member) []span {
	rank := make([]span, len(members))
	for i, m := range members {
		end := len(w.buf)
		if i+1 < len(members) {
			end = members[i+1].start - 1
		}
		rank[i] = span{m, end}
	}
	return rank
}

// arrange writes the members again in another order. There may be fewer.
func (w *writer) arrange(members []member, rank []span) {
	start := members[0].start
	old := bytes.Clone(w.buf[start:])
	w.buf = w.buf[:start]
	for i, s := range rank {
		if i > 0 {
			w.buf = append(w.buf, ',')
		}
		w.buf = append(w.buf, old[s.start-start:s.end-start]...)
	}
}

// set sorts the elements of a set, and removes those that are equal to others: strings by their bytes, numbers by their value.
func (w *writer) set(l level) {
	members := w.members[l:]
	if len(members) < 2 {
		return
	}
	rank := w.ranks(members)
	type element struct {
		span
		elementKey
	}
	elems := make([]element, len(rank))
	for i, s := range rank {
		elems[i] = element{s, keyOfElement(w.buf[s.start:s.end])}
	}
	slices.SortStableFunc(elems, func(a, b element) int { return a.compare(b.elementKey) })
	elems = slices.CompactFunc(elems, func(a, b element) bool { return a.compare(b.elementKey) == 0 })
	rank = rank[:0]
	for _, e := range elems {
		rank = append(rank, e.span)
	}
	w.arrange(members, rank)
}

// quote returns a text in quotes, for messages. Characters that can be mistaken for others are escaped.
func quote(s string) string {
	const most = 200
	if len(s) > most {
		return strconv.QuoteToASCII(strings.ToValidUTF8(s[:most], "")) + "…"
	}
	return strconv.QuoteToASCII(s)
}
