// Package lines splits the log of a step into lines for those who watch it. The log itself keeps the bytes as the step
// wrote them; what is shown of it has no carriage returns:
//
//   - A line ends at a newline, with or without carriage returns before it.
//   - A carriage return inside a line overwrites it, as progress bars do. Only its last state counts. While the line is
//     open, its state is passed on at most once a second (Paced).
//   - A long line is cut between characters. If it is overwritten again and again with long texts, it would be passed on in
//     pieces as fast as it is written. So only the first of these texts is passed on in pieces, and of the others the start.
//
// How a log is split depends only on its bytes, not on how they arrive, so that a log that is streamed can be compared
// with the stored one.
//
// The package does not change the text of lines: escape sequences and bytes that are not UTF-8 stay.
package lines

import (
	"bytes"
	"time"

	"pipec.dev/pipec/schema/record"
)

// Max is the length above which a line is cut, in bytes.
const Max = 64 << 10

// Line is a line of a log, a piece of a long one, or the state of an open one.
type Line struct {
	Text []byte // without the line's end; valid until the function that gets it returns
	Size int    // how many bytes of the log the line or piece consists of; 0 for a state
	Part record.Part
	At   time.Time // when it was written; zero: that is not known. Splitter leaves it zero
}

// Splitter passes on the lines of what is written to it. It is not safe for concurrent use.
type Splitter struct {
	Emit func(Line) error

	buf   []byte // the open line, since the last carriage return with text behind it, or since it was cut
	size  int    // the bytes of the log that the open line consists of
	back  bool   // a carriage return was the last character: what follows overwrites buf
	again bool   // the open line had a carriage return
	fresh bool   // buf has changed since its state was passed on
	cut   bool   // the open line was cut since the last carriage return
	wide  bool   // a text of the open line that was cut has been overwritten: of later ones, only the start is kept
}

// Write splits p. It returns the first error of Emit.
func (s *Splitter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			return n, s.add(p)
		}
		var err error
		if s.size == 0 && end <= Max && bytes.IndexByte(p[:end], '\r') < 0 {
			err = s.Emit(Line{Text: p[:end], Size: end + 1}) // the usual case
		} else if err = s.add(p[:end]); err == nil {
			s.size++
			err = s.end()
		}
		if err != nil {
			return 0, err
		}
		p = p[end+1:]
	}
	return n, nil
}

// Flush passes on the last line if it has no newline.
func (s *Splitter) Flush() error {
	if s.size == 0 {
		return nil
	}
	return s.end()
}

// Pending reports whether the open line has a state that was not passed on: text in a line that is overwritten.
func (s *Splitter) Pending() bool { return s.fresh && s.again }

// State passes on the state of the open line if it is pending.
func (s *Splitter) State() error {
	if !s.Pending() {
		return nil
	}
	s.fresh = false
	text := s.buf[:record.Between(s.buf)]
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	return s.Emit(Line{Text: text, Part: record.PartState})
}

// Skip states that the state of the open line is known.
func (s *Splitter) Skip() { s.fresh = false }

// add adds text without a newline to the open line.
func (s *Splitter) add(p []byte) error {
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\r')
		if end < 0 {
			return s.text(p)
		}
		if err := s.text(p[:end]); err != nil {
			return err
		}
		s.back, s.again = true, true
		s.size++
		p = p[end+1:]
	}
	return nil
}

// text adds text without any end of a line.
func (s *Splitter) text(p []byte) error {
	if len(p) == 0 {
		return nil
	}
	if s.back {
		s.wide = s.wide || s.cut
		s.buf, s.back, s.cut = s.buf[:0], false, false
	}
	s.fresh = true
	if s.wide {
		s.start(p)
		return nil
	}
	for len(s.buf)+len(p) > Max {
		room := Max - len(s.buf)
		s.buf = append(s.buf, p[:room]...)
		s.size += room
		p = p[room:]
		cut := record.Between(s.buf)
		rest := len(s.buf) - cut
		if err := s.Emit(Line{Text: s.buf[:cut], Size: s.size - rest, Part: record.PartCut}); err != nil {
			return err
		}
		s.cut = true
		s.buf = append(s.buf[:0], s.buf[cut:]...)
		s.size = rest
	}
	s.buf = append(s.buf, p...)
	s.size += len(p)
	return nil
}

// start adds text to the open line as far as there is room.
func (s *Splitter) start(p []byte) {
	s.size += len(p)
	s.buf = append(s.buf, p[:min(len(p), Max-len(s.buf))]...)
}

// end passes on the open line.
func (s *Splitter) end() error {
	line := Line{Text: s.buf, Size: s.size}
	if s.wide && len(s.buf) == Max {
		line.Text = s.buf[:record.Between(s.buf)]
	}
	*s = Splitter{Emit: s.Emit, buf: s.buf[:0]}
	return s.Emit(line)
}
