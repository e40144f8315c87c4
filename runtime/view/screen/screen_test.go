package screen_test

import (
	"bytes"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pipec.dev/pipec/runtime/view/screen"
)

func clean(pieces ...string) string {
	var b bytes.Buffer
	w := screen.New(&b)
	for _, p := range pieces {
		if n, err := io.WriteString(w, p); n != len(p) || err != nil {
			panic(err)
		}
	}
	_ = w.Close()
	return b.String()
}

func TestWriter(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain":           {"a\tb\n", "a\tb\n"},
		"unicode":         {"größer ✓ 日本\n", "größer ✓ 日本\n"},
		"color":           {"\x1b[1;38;5;9mred\x1b[0m", "\x1b[1;38;5;9mred\x1b[0m"},
		"open color":      {"\x1b[31mred", "\x1b[31mred\x1b[0m"},
		"colons":          {"\x1b[38:2::1:2:3mx\x1b[m", "\x1b[38:2::1:2:3mx\x1b[m"},
		"long color":      {"\x1b[" + strings.Repeat("1;", 100) + "mx", "x"},
		"private m":       {"\x1b[>4;1mx\x1b[?1mx", "xx"},
		"title":           {"\x1b]0;owned\x07x", "x"},
		"title, ST":       {"\x1b]0;owned\x1b\\x", "x"},
		"clipboard":       {"\x1b]52;c;ZWNobw==\x07x", "x"},
		"link":            {"\x1b]8;;http://x\x1b\\text\x1b]8;;\x1b\\", "text"},
		"open title":      {"x\x1b]0;never ends\n", "x"},
		"cancelled title": {"\x1b]0;t\x18x", "x"},
		"nested":          {"\x1b]0;\x1b]0;\x1b[2Jt\x07x", "tx"},
		"DCS":             {"\x1bP+q544e\x1b\\x", "x"},
		"APC":             {"\x1b_G\x1b\\x\x1b^p\x1b\\y\x1bXs\x1b\\z", "xyz"},
		"cursor":          {"\x1b[2J\x1b[1;1H\x1b[5Aspoofed", "spoofed"},
		"query":           {"\x1b[6n\x1b[c\x1b[21t", ""},
		"reset":           {"\x1bcx\x1b7\x1b8\x1b(0\x1b#8", "x"},
		"return":          {"secret\rpublic\r\n", "secretpublic\n"},
		"controls":        {"a\x00\x07\x08\x0b\x0c\x0e\x7fb", "ab"},
		"C1":              {"a\u009b2Jb\u0085c\u009d0;t\u009c", "a2Jbc0;t"},
		"raw C1":          {"a\x9b2Jb", "a\ufffd2Jb"},
		"bidi":            {"a\u202eb\u2066c\u200fd\u2028e", "abcde"},
		"not UTF-8":       {"a\xff\xc3(\xe2\x82x\xf0", "a\ufffd\ufffd(\ufffd\ufffdx"},
		"broken sequence": {"\x1b[12\nx", "\nx"},
		"broken by ESC":   {"\x1b[12\x1b[31mx\x1b[0m", "\x1b[31mx\x1b[0m"},
		"broken by C1":    {"\x1b[?1\u009b\x1b\u009bx", "x"},
		"ESC in a char":   {"\xc3\x1b]0;t\x07x", "\ufffdx"},
		"ESC at the end":  {"x\x1b", "x"},
	} {
		if got := clean(c.text); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if got := clean(strings.Split(c.text, "")...); utf8.ValidString(c.text) && got != c.want {
			t.Errorf("%s, in characters: %q, want %q", name, got, c.want)
		}
	}
}

// controls matches what a terminal would interpret, in text that has no colors.
func controls(s string) bool {
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\t' || unicode.Is(unicode.Bidi_Control, r) {
			return true
		}
	}
	return false
}

var color = regexp.MustCompile("\x1b\\[[0-9;:]*m")

func FuzzWriter(f *testing.F) {
	for _, s := range []string{"\x1b]0;t\x07x", "\x1b[31mx", "a\xc2\x9bb", "\x1b[?1049h", "\xf0\x9f\x98\x80"} {
		f.Add([]byte(s), uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		whole := clean(string(data))
		if !utf8.ValidString(whole) || controls(color.ReplaceAllString(whole, "")) {
			t.Errorf("%q becomes %q", data, whole)
		}
		if again := clean(whole); again != whole {
			t.Errorf("%q becomes %q, and then %q", data, whole, again)
		}
		at := min(int(cut), len(data))
		if parts := clean(string(data[:at]), string(data[at:])); parts != whole {
			t.Errorf("%q becomes %q, and in two parts %q", data, whole, parts)
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	for name, line := range map[string]string{
		"plain": strings.Repeat("a line of a log that a terminal prints\n", 100), "colors": strings.Repeat("\x1b[32mgrün\x1b[0m and more text\n", 100),
	} {
		b.Run(name, func(b *testing.B) {
			w, p := screen.New(io.Discard), []byte(line)
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				_, _ = w.Write(p)
			}
		})
	}
}
