package mask

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func goJSON(v any, escapeHTML bool) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(escapeHTML)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// inside returns the base64 of a text between others, with what of it depends on the text alone.
func inside(before, text, after string, e *base64.Encoding) (all, own string) {
	all = e.EncodeToString([]byte(before + text + after))
	return all, all[(8*len(before)+5)/6 : 8*(len(before)+len(text))/6]
}

// prints returns what programs print that show a text, and the part of it that must not be left.
var prints = []func(text string) (printed, own string){
	func(s string) (string, string) { return s, s },
	func(s string) (string, string) { return goJSON(s, true), inner(goJSON(s, true)) },
	func(s string) (string, string) { return goJSON(s, false), inner(goJSON(s, false)) },
	func(s string) (string, string) {
		out := goJSON(goJSON(s, true), true)
		return out, out[3 : len(out)-3]
	},
	func(s string) (string, string) { return strconv.Quote(s), inner(strconv.Quote(s)) },
	func(s string) (string, string) { return url.QueryEscape(s), url.QueryEscape(s) },
	func(s string) (string, string) { return url.PathEscape(s), url.PathEscape(s) },
	func(s string) (string, string) { return "/x/" + (&url.URL{Path: s}).EscapedPath(), "" },
	func(s string) (string, string) {
		u := url.URL{Scheme: "https", Host: "h", User: url.UserPassword("user", s)}
		out := u.String()
		return out, strings.TrimSuffix(strings.TrimPrefix(out, "https://user:"), "@h")
	},
	func(s string) (string, string) { return html.EscapeString(s), html.EscapeString(s) },
	func(s string) (string, string) { return base64.StdEncoding.EncodeToString([]byte(s)), "" },
	func(s string) (string, string) { return inside("", s, "\n", base64.StdEncoding) },
	func(s string) (string, string) { return inside("u:", s, "", base64.StdEncoding) },
	func(s string) (string, string) { return inside("user:", s, "", base64.RawURLEncoding) },
	func(s string) (string, string) { return inside("a user:", s, " and more", base64.URLEncoding) },
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// secretText draws secrets of all shapes: tokens, texts with special characters, several lines.
func secretText() *rapid.Generator[string] {
	line := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z0-9+/_-]{4,40}`),
		rapid.StringMatching(`[a-z0-9 "'\\<>&%+/=?$#;:@~éß€😀\t]{4,24}`),
		rapid.StringMatching(`[ab]{4,9}`),
	)
	return rapid.Custom(func(t *rapid.T) string {
		lines := rapid.SliceOfN(line, 1, 4).Draw(t, "lines")
		end := rapid.SampledFrom([]string{"", "\n", "\r\n", " \n", "\n\n"}).Draw(t, "end")
		return rapid.SampledFrom([]string{"", "", "\n", "  "}).Draw(t, "start") + strings.Join(lines, rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "ends")) + end
	})
}

// parts returns the texts of a secret that must not be left.
func parts(secret string) (out []string) {
	trimmed := strings.TrimSpace(secret)
	if len(trimmed) >= Min {
		out = append(out, secret, trimmed)
		for line := range strings.Lines(trimmed) {
			if line = strings.TrimSpace(line); len(line) >= MinLine {
				out = append(out, line)
			}
		}
	}
	return out
}

func write(s *Set, pieces ...string) string {
	if s == nil {
		return strings.Join(pieces, "")
	}
	var out strings.Builder
	w := s.Writer(&out)
	for _, p := range pieces {
		if n, err := w.Write([]byte(p)); n != len(p) || err != nil {
			panic(fmt.Sprint(n, err))
		}
	}
	if err := w.Flush(); err != nil {
		panic(err)
	}
	return out.String()
}

// cut cuts a text into pieces of drawn sizes.
func cut(t *rapid.T, text string) (pieces []string) {
	for most := rapid.IntRange(1, 40).Draw(t, "most"); text != ""; {
		n := min(rapid.IntRange(1, most).Draw(t, "n"), len(text))
		pieces, text = append(pieces, text[:n]), text[n:]
	}
	return pieces
}

// property: nothing of a secret is left, however it is printed and written; the text around it stays.
func property(t *rapid.T) {
	secret := secretText().Draw(t, "secret")
	set := New(map[string]string{"A": secret, "B": secretText().Draw(t, "other")})
	var log strings.Builder
	var owns []string
	texts := parts(secret)
	for range rapid.IntRange(1, 5).Draw(t, "prints") {
		log.WriteString("«")
		if len(texts) > 0 {
			printed, own := rapid.SampledFrom(prints).Draw(t, "print")(rapid.SampledFrom(texts).Draw(t, "text"))
			log.WriteString(printed)
			if len(own) >= Min {
				owns = append(owns, strings.TrimSpace(own))
			}
		}
		log.WriteString(rapid.SampledFrom([]string{"»", "»\n", "»\r", "»\r\n"}).Draw(t, "end"))
	}
	if set == nil {
		return
	}
	got := write(set, cut(t, log.String())...)
	if whole := write(set, log.String()); got != whole {
		t.Fatalf("in pieces %q, at once %q", got, whole)
	}
	owns = append(owns, texts...)
	for _, own := range owns {
		if len(own) >= Min && strings.Contains(got, own) {
			t.Fatalf("%q is left in %q of %q", own, got, log.String())
		}
	}
	if strings.Count(got, "«") != strings.Count(log.String(), "«") || strings.Count(got, "»") != strings.Count(log.String(), "»") {
		t.Fatalf("%q is left of %q", got, log.String())
	}
	if m := set.String(log.String()); utf8.ValidString(log.String()) != utf8.ValidString(m) {
		t.Fatalf("%q became %q", log.String(), m)
	}
}

func TestNothingIsLeft(t *testing.T) { rapid.Check(t, property) }

func FuzzNothingIsLeft(f *testing.F) { f.Fuzz(rapid.MakeFuzz(property)) }

// FuzzWriter: every text that is masked is masked at every position, the rest is unchanged, and pieces don't matter.
func FuzzWriter(f *testing.F) {
	f.Add("hunter2secret\n", "token hunter2secret is used", byte(3))
	f.Add("abcdabcd", "abcdabcdabcdabc", byte(1))
	f.Add("-----BEGIN-----\nMIIabcdefgh\n", "MIIabcdefgh\r\n", byte(7))
	f.Fuzz(func(t *testing.T, secret, log string, size byte) {
		set := New(map[string]string{"A": secret})
		if set == nil {
			return
		}
		var pieces []string
		for rest := log; rest != ""; {
			n := min(int(size)+1, len(rest))
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		// The plain way: mark each byte of each occurrence.
		hidden, starts := make([]bool, len(log)), make([]bool, len(log))
		end := 0
		for i := range len(log) {
			n := 0
			for _, text := range set.texts {
				if strings.HasPrefix(log[i:], text) {
					n = max(n, len(text))
				}
			}
			if n > 0 && i >= end {
				starts[i] = true
			}
			for j := i; j < i+n; j++ {
				hidden[j] = true
			}
			end = max(end, i+n)
		}
		var want strings.Builder
		for i := range len(log) {
			if starts[i] {
				want.WriteString(Mask)
			}
			if !hidden[i] {
				want.WriteByte(log[i])
			}
		}
		if got := write(set, pieces...); got != want.String() {
			t.Fatalf("%q, not %q", got, want.String())
		}
	})
}

func TestExact(t *testing.T) {
	for _, c := range []struct{ secret, in, want string }{
		{"hunter2secret\n", "token hunter2secret is used\n", "token *** is used\n"},
		{"hunter2secret\n", "hunter2secret\nnext", "***\nnext"},
		{"hunter2secret\n", `'hunter2secret\n'`, `'***\n'`},
		{"hunter2secret\n", "aHVudGVyMnNlY3JldAo= aHVudGVyMnNlY3JldA==", "*** ***"},
		{"a\"b\\c\nd", `{"k":"a\"b\\c\nd"}`, `{"k":"***"}`},
		{"k1234567\nx\n", "k1234567 x", "***"},
		{"k1234567\nx\n", "x", "x"},
		{"pass word/é", "p=pass+word%2f%c3%a9&q=pass%20word%2F%C3%A9", "p=***&q=***"},
		{"pass word/é", `pass word/\u00e9 pass word\/\u00e9`, "*** ***"},
		{"it's a key", `'it'\''s a key' "it\'s a key" it\'s\ a\ key`, `'***' "***" ***`},
		{"abc", "abc", "abc"},
		{"ab \n", "ab", "ab"},
		{"    ", "    ", "    "},
		{"abcd", "abcabcdd abc", "abc***d abc"},
		{"abab", "xababab", "x***"},
		{"short1\nshort2", "short1 short3", "short1 short3"},
		{"short1\nshort2", "- short1\r\nshort2", "- ***"},
		{"a first line\va second\u2028a third line\u0085and more", "a first line, a second, a third line, and more", "***, ***, ***, ***"},
		{"a longer line\r\nanother line\r\n", "1: a longer line\n2: another line\n", "1: ***\n2: ***\n"},
	} {
		set := New(map[string]string{"A": c.secret, "": ""})
		if got := write(set, c.in); got != c.want {
			t.Errorf("secret %q: %q, not %q", c.secret, got, c.want)
		}
		if got := set.String(c.in); got != c.want {
			t.Errorf("secret %q: the message %q, not %q", c.secret, got, c.want)
		}
	}
}

func TestOverlaps(t *testing.T) {
	set := New(map[string]string{"A": "abcd", "B": "abcdef", "C": "cdzz", "short": "x"})
	for in, want := range map[string]string{
		"x abcd y": "x *** y", "abcdef": "***", "abcde": "***e", "abcdzz": "***", "cdzzabcd": "******", "abc": "abc", "": "",
	} {
		if got := write(set, in); got != want {
			t.Errorf("%q gives %q, not %q", in, got, want)
		}
	}
}

// A message that was cut in the middle of a secret doesn't show the part before.
func TestCutMessages(t *testing.T) {
	set := New(map[string]string{"A": "a-long-secret-value", "B": `quote-it": now`, "C": "quote-it'... now"})
	for in, want := range map[string]string{
		`the file starts with "a-long-secret-v": no`: `the file starts with "***": no`,
		"expected number, found a-long-se…":          "expected number, found ***…",
		"found a-long-secret...":                     "found ***...",
		"it ends a-long-se":                          "it ends ***",
		"a-long-seller":                              "a-long-seller",
		`starts with "quote-it": is`:                 `starts with "***": is`,
		`starts with "quote-it'" is`:                 `starts with "***" is`,
		"a-long…":                                    "a-long…",
	} {
		if got := set.String(in); got != want {
			t.Errorf("%q gives %q, not %q", in, got, want)
		}
	}
}

// The base64 of a secret of several lines is wrapped.
func TestWrapped(t *testing.T) {
	secret := strings.Repeat("0123456789 abcdefghij\n", 12)
	for _, columns := range []int{64, 76} {
		encoded := base64.StdEncoding.EncodeToString([]byte(secret))
		var b strings.Builder
		for ; len(encoded) > columns; encoded = encoded[columns:] {
			b.WriteString(encoded[:columns] + "\n")
		}
		b.WriteString(encoded + "\n")
		got := write(New(map[string]string{"A": secret}), b.String())
		if strings.Trim(got, "*\n") != "" {
			t.Errorf("%d columns: %q", columns, got)
		}
	}
}

// What Python and a shell print is masked.
func TestPrograms(t *testing.T) {
	for _, secret := range []string{"first line é 😀\n\"second\" 'line' \\ <&>\tend\n", "first 'line' \"second\" 100% #1 ~x,y=$(z) & <tag>"} {
		testPrograms(t, secret)
	}
}

func testPrograms(t *testing.T, secret string) {
	t.Helper()
	t.Setenv("SECRET", secret)
	set := New(map[string]string{"A": secret})
	for _, c := range [][]string{
		{"python3", "-c", `import os, json, urllib.parse as u, base64, html
s = os.environ["SECRET"]
for v in s, s.strip(), *s.splitlines():
    print("print", v)
    print("repr", repr(v), ascii(v), repr(v.encode()), repr({"k": [v]}))
    print("json", json.dumps(v), json.dumps(v, ensure_ascii=False), json.dumps(json.dumps(v)))
    print("url", u.quote(v), u.quote(v, safe=""), u.quote_plus(v), u.urlencode({"k": v}))
    print("html", html.escape(v))
    print("base64", base64.b64encode(v.encode()), base64.urlsafe_b64encode(v.encode()), base64.encodebytes(v.encode()))
    print("basic", base64.b64encode(b"user:" + v.encode()), base64.b64encode(b"me:" + v.encode()), base64.b64encode(b"root:" + v.encode()))
`},
		{"bash", "-c", `echo $SECRET; set -x; : "$SECRET"; set +x; declare -p SECRET; env | grep -A3 ^SECRET; printf "%q\n" "$SECRET"; echo "${SECRET@Q}"`},
		{"sh", "-c", `echo $SECRET; set -x; : "$SECRET"; export -p; set; echo "$SECRET" | base64`},
	} {
		if _, err := exec.LookPath(c[0]); err != nil {
			t.Logf("not tested: %s", err)
			continue
		}
		printed, err := exec.Command(c[0], c[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %s", err, printed)
		}
		got := write(set, string(printed))
		for _, word := range []string{"first", "line", "second", "Zmlyc3", "c2Vjb25k"} {
			if strings.Contains(got, word) {
				t.Errorf("%s: %q is left in\n%s", c[0], word, got)
			}
		}
	}
}

// The start of a secret is masked if nothing follows it, as when the process is killed while it prints.
func TestStartAtTheEnd(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"token hunter2s", "token ***"},
		{"token hunter2secretvalu", "token ***"},
		{"token hunter2secretvalue", "token ***"},
		{"token hunter2", "token hunter2"}, // shorter than MinLine
		{"token hunter2s\n", "token hunter2s\n"},
		{"hunter2secretvaluehunter2s", "******"},
	} {
		if got := write(New(map[string]string{"A": "hunter2secretvalue\n"}), c.text); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestNil(t *testing.T) {
	set := New(map[string]string{"A": "xyz"})
	if set != nil || set.String("xyz") != "xyz" || set.Writer(io.Discard) != nil {
		t.Error("a short secret is masked")
	}
}

func BenchmarkWriter(b *testing.B) {
	text := []byte(strings.Repeat("2024-01-02 10:11:12 INFO epoch 12 step 3400 loss=0.1234 accuracy=0.9876 lr=1e-4 token is used\n", 340))
	key := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n", 26) + "-----END PRIVATE KEY-----\n"
	for name, secrets := range map[string]map[string]string{
		"token":  {"A": "ghp_16C7e42F292c6912E7710c838347Ae178B4a"},
		"phrase": {"A": "correct horse battery staple"},
		"key":    {"A": key},
		"many":   {"A": key, "B": "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "C": "correct horse", "D": "AKIAIOSFODNN7EXAMPLE", "E": "tiny"},
	} {
		b.Run(name, func(b *testing.B) {
			w := New(secrets).Writer(io.Discard)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				_, _ = w.Write(text)
			}
		})
		b.Run(name+"/new", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				New(secrets)
			}
		})
	}
}
