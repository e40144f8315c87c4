package main

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// style is how a character looks. color is an index of the palette plus one; 0 is the terminal's own.
type style struct {
	color       int
	bold, faint bool
}

type cell struct {
	r rune
	style
}

// screen is a terminal of unlimited height: it does not scroll.
type screen struct {
	columns  int
	lines    [][]cell
	row, col int
	now      style
}

func (s *screen) read(in io.RuneReader) error {
	for {
		r, _, err := in.ReadRune()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case r == 0x1b:
			if err := s.escape(in); err != nil && !errors.Is(err, io.EOF) {
				return err
			}
		case r == '\n':
			s.row, s.col = s.row+1, 0
		case r == '\r':
			s.col = 0
		case r == '\b':
			s.col = max(s.col-1, 0)
		case r == '\t':
			s.col = min(s.col/8*8+8, s.columns-1)
		case unicode.IsPrint(r):
			s.put(r)
		}
	}
}

func (s *screen) put(r rune) {
	if s.col >= s.columns {
		s.row, s.col = s.row+1, 0
	}
	for len(s.lines) <= s.row {
		s.lines = append(s.lines, nil)
	}
	line := s.lines[s.row]
	for len(line) <= s.col {
		line = append(line, cell{r: ' '})
	}
	line[s.col] = cell{r, s.now}
	s.lines[s.row] = line
	s.col++
}

// escape reads a sequence; only those that start with ESC [ do anything.
func (s *screen) escape(in io.RuneReader) error {
	r, _, err := in.ReadRune()
	if err != nil {
		return err
	}
	if r == ']' { // a title: up to BEL, or ESC \
		for r != 0x07 && r != '\\' {
			if r, _, err = in.ReadRune(); err != nil {
				return err
			}
		}
		return nil
	}
	if r != '[' {
		return nil
	}
	var text strings.Builder
	for {
		if r, _, err = in.ReadRune(); err != nil {
			return err
		}
		if r >= '@' && r <= '~' {
			s.control(r, text.String())
			return nil
		}
		text.WriteRune(r)
	}
}

func (s *screen) control(final rune, text string) {
	if strings.HasPrefix(text, "?") {
		return
	}
	var args []int
	for _, part := range strings.Split(text, ";") {
		n, _ := strconv.Atoi(part) // an empty one is 0
		args = append(args, n)
	}
	n := max(args[0], 1)
	switch final {
	case 'A':
		s.row = max(s.row-n, 0)
	case 'B':
		s.row += min(n, 1000)
	case 'C':
		s.col = min(s.col+n, s.columns-1)
	case 'D':
		s.col = max(s.col-n, 0)
	case 'G':
		s.col = min(n-1, s.columns-1)
	case 'F':
		s.row, s.col = max(s.row-n, 0), 0
	case 'K':
		s.eraseLine(args[0])
	case 'J':
		if args[0] == 0 {
			s.eraseLine(0)
			if s.row+1 < len(s.lines) {
				s.lines = s.lines[:s.row+1]
			}
		}
	case 'm':
		for _, a := range args {
			s.sgr(a)
		}
	}
}

func (s *screen) eraseLine(how int) {
	if s.row >= len(s.lines) {
		return
	}
	line := s.lines[s.row]
	switch how {
	case 0:
		s.lines[s.row] = line[:min(s.col, len(line))]
	case 1:
		for i := range min(s.col+1, len(line)) {
			line[i] = cell{r: ' '}
		}
	case 2:
		s.lines[s.row] = nil
	}
}

func (s *screen) sgr(n int) {
	switch {
	case n == 0:
		s.now = style{}
	case n == 1:
		s.now.bold = true
	case n == 2:
		s.now.faint = true
	case n == 22:
		s.now.bold, s.now.faint = false, false
	case n == 39:
		s.now.color = 0
	case n >= 30 && n <= 37:
		s.now.color = n - 30 + 1
	case n >= 90 && n <= 97:
		s.now.color = n - 90 + 1
		if n == 90 {
			s.now.color, s.now.faint = 0, true
		}
	}
}
