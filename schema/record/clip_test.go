package record

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		in    string
		bytes int
		want  string
	}{
		{"abc", 3, "abc"}, {"abc", 2, "ab"}, {"é", 1, ""}, {"aé", 2, "a"}, {"aé", 3, "aé"}, {"€x", 2, ""}, {"€x", 3, "€"}, {"😀", 3, ""},
		{"a\xffb", 2, "a\xff"}, {"\xe2\x82", 2, "\xe2\x82"}, {"\xa9\xa9\xa9\xa9\xa9", 4, "\xa9\xa9\xa9\xa9"}, {"abc", -1, ""}, {"", 0, ""},
	} {
		if got := Cut(c.in, c.bytes); got != c.want {
			t.Errorf("%q in %d bytes is %q, not %q", c.in, c.bytes, got, c.want)
		}
		if got := string(Cut([]byte(c.in), c.bytes)); got != c.want {
			t.Errorf("the bytes %q in %d bytes are %q, not %q", c.in, c.bytes, got, c.want)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		in         string
		characters int
		want       string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "ab…"}, {"ééé", 3, "ééé"}, {"éééé", 3, "éé…"}, {"😀😀", 1, "…"}, {"a\xff\xff\xffb", 3, "a\xff…"}, {"", 3, ""},
	} {
		if got := Shorten(c.in, c.characters); got != c.want {
			t.Errorf("%q in %d characters is %q, not %q", c.in, c.characters, got, c.want)
		}
	}
}

func FuzzClip(f *testing.F) {
	f.Add("é€😀", 5)
	f.Add("\xff\xc3", 1)
	f.Fuzz(func(t *testing.T, s string, n int) {
		cut, clipped := Cut(s, n), Clip(s, max(n, 3))
		if short := Shorten(s, max(n, 1)); utf8.RuneCountInString(short) > max(n, 1) || short != s && !strings.HasPrefix(s, strings.TrimSuffix(short, "…")) {
			t.Errorf("%q in %d characters is %q", s, n, short)
		}
		if !strings.HasPrefix(s, cut) || len(cut) > max(n, 0) || utf8.ValidString(s) && !utf8.ValidString(cut) {
			t.Errorf("%q in %d bytes is %q", s, n, cut)
		}
		if len(clipped) > max(n, 3) || !utf8.ValidString(clipped) {
			t.Errorf("%q clipped to %d bytes is %q", s, n, clipped)
		}
	})
}
