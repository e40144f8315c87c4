package main

import (
	"bufio"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
)

func shown(t *testing.T, in string) string {
	t.Helper()
	s := screen{columns: 20}
	if err := s.read(bufio.NewReader(strings.NewReader(in))); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, l := range s.lines {
		lines = append(lines, strings.TrimRight(text(l), " "))
	}
	return strings.Join(lines, "/")
}

func TestScreen(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"a\nb", "a/b"},
		{"a\r\nb\r\n", "a/b"},
		{"working\rdone   ", "done"},
		{"one\r\ntwo\r\n\x1b[2A\x1b[Jthree", "three"},
		{"one\r\ntwo\r\n\x1b[1A\x1b[2Kthree\r\n", "one/three"},
		{"abc\x1b[2D\x1b[K", "a"},
		{"abc\x1b[1G\x1b[1Kx", "xbc"},
		{"\x1b[?25la\x1b[?25h\x1b]0;title\x07b", "ab"},
		{"\x1b[31;1mred\x1b[0m", "red"},
		{strings.Repeat("x", 21), strings.Repeat("x", 20) + "/x"},
		{"a\tb", "a       b"},
		{"a\x1b[", "a"},
		{"\x1b[99999999B", ""},
	} {
		if got := shown(t, c.in); got != c.want {
			t.Errorf("%q shows %q, want %q", c.in, got, c.want)
		}
	}
}

func TestDraw(t *testing.T) {
	var out strings.Builder
	if err := run(strings.NewReader("  \x1b[32mok\x1b[0m <&>\n\n"), &out, 20, `a "title"`); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`x="34.8"`, `fill="#7ee787">ok</text>`, `&lt;&amp;&gt;`, "&#34;title&#34;"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%s is not in %s", want, out.String())
		}
	}
	for d := xml.NewDecoder(strings.NewReader(out.String())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzRun(f *testing.F) {
	f.Add("a\x1b[2A\x1b[Jb\x1b[31mc\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		var out strings.Builder
		if err := run(strings.NewReader(in), &out, 40, "x"); err != nil {
			t.Fatal(err)
		}
	})
}
