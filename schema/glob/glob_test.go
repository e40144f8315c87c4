package glob

import (
	"path"
	"strings"
	"testing"

	"github.com/bmatcuk/doublestar/v4"
	"pgregory.net/rapid"

	"pipec.dev/pipec/schema/paths"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, dir string
		yes, no      string // paths beneath dir, by spaces
	}{
		{"plots/*.png", "plots", "a.png b_1.png", "a.jpg a/b.png .png .a.png A.PNG"},
		{"./plots/*.png", "plots", "a.png", "b"},
		{".//./plots/*.png", "plots", "a.png", "b"},
		{"report.csv", ".", "report.csv", "x.csv a/report.csv"},
		{"a/b/report.csv", "a/b", "report.csv", "b/report.csv"},
		{"/tmp/out/*.csv", "/tmp/out", "a.csv", "b/a.csv"},
		{"/*.csv", "/", "a.csv", "b/a.csv"},
		{"out/**/*.csv", "out", "a.csv b/a.csv b/c/d/a.csv", "a.txt .b/a.csv b/.a.csv b/.c/a.csv"},
		{"**", ".", "a a/b a/b/c", ".a a/.b"},
		{"out/.cache/*", "out/.cache", "a b", ".c"},
		{"out/*/.keep", "out", "a/.keep", "a/.other .a/.keep"},
		{"out/.*", "out", ".a .b", "a"},
		{"{a,b/c}/*.txt", ".", "a/x.txt b/c/x.txt", "b/x.txt a/c/x.txt"},
		{"x[!0-9].txt", ".", "xa.txt", "x1.txt"},
		{`a\*b.txt`, ".", "a*b.txt", "axb.txt"},
		{"?.txt", ".", "a.txt ä.txt", "ab.txt .txt"},
		{"m-{small,large}.bin", ".", "m-small.bin m-large.bin", "m-medium.bin"},
		{"{.a,b}*/x", ".", ".ab/x bb/x", ".b/x"},
		{"{train,test}.{csv,json}", ".", "train.csv train.json test.json", "train test .csv train.txt a/train.csv"},
		{".{env,gitignore}*", ".", ".env .env.local .gitignore", ".git env gitignore"},
		{"{.a,b}/{.c,d}*", ".", ".a/.c .a/d b/.cd b/d", "b/.d .b/d a/.c"},
		{"*{.a,}", ".", "x.a x", ".a .b x/.a"},
		{"out/{a,b/**}/{c,d{e,f}}.{x,y}", "out", "a/c.x b/de.y b/1/2/df.x", "a/d.x a/1/c.x c.x"},
		{"out{,/*}/x", ".", "out/x out/a/x", "out/a/b/x outx"},
		{"/tmp/{a,b}", "/tmp", "a b", "c"},
		{`x{\,,[,}]}.{a,b}`, ".", "x,.a x}.b", "x.a x,"},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Errorf("%q: %v", c.pattern, err)
			continue
		}
		if p.Dir != c.dir {
			t.Errorf("%q is in %q, want %q", c.pattern, p.Dir, c.dir)
		}
		for _, rel := range strings.Fields(c.yes) {
			if !p.Match(rel) {
				t.Errorf("%q doesn't match %q", c.pattern, rel)
			}
		}
		for _, rel := range strings.Fields(c.no) {
			if p.Match(rel) {
				t.Errorf("%q matches %q", c.pattern, rel)
			}
		}
	}
}

// A pattern and a path match in form C, whatever their own forms are.
func TestForms(t *testing.T) {
	const one, two = "\u00e9", "e\u0301" // é as one character and as two
	for _, c := range []struct {
		pattern, rel string
		exact, form  bool
	}{
		{one + ".txt", one + ".txt", true, true},
		{one + ".txt", two + ".txt", false, true},
		{two + ".txt", one + ".txt", false, true},
		{two + ".txt", two + ".txt", true, true},
		{"r?sum?.txt", "r" + two + "sum" + two + ".txt", false, true},
		{"[" + one + "a].txt", two + ".txt", false, true},
		{"[" + two + "].txt", one + ".txt", false, true},
		{"{" + one + ",a}*/x.txt", two + "b/x.txt", false, true},
		{"{e,a}\u0301.txt", one + ".txt", false, true},
		{"*.txt", two + ".txt", true, true},
		{"." + one + "*", "." + two + "b", false, true},
		{"*" + one, "." + two, false, false},
		{"e*", two, true, false},
		{"**/" + one + "/*", "a/" + two + "/b", false, true},
		{"b" + one, "b", false, false},
	} {
		p, err := Parse(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		if exact, form := p.Match(c.rel), p.MatchForm(c.rel); exact != c.exact || form != c.form {
			t.Errorf("%+q and %+q: %t and %t in form C, want %t and %t", c.pattern, c.rel, exact, form, c.exact, c.form)
		}
	}
}

func TestFaults(t *testing.T) {
	for text, says := range map[string]string{
		"": "empty", "./": "empty", "a/[b": "not closed", "a/{b,c": "not closed", `a\`: "not closed", "a/": "slash", "..": "..", "../a": "..",
		"a/../b": "..", "{..,a}/b": "..", "a/./b": "part .", "a//b": "two slashes", "//a": "two slashes", "a\x00b": "no path", "\xff": "no path",
		strings.Repeat("a", 1025): "1024", strings.Repeat("{a,b}", 7): "64", strings.Repeat("{a,b}", 200): "64", "a/..": "..", "a/.": "part .",
		"{x" + strings.Repeat("{a,b}", 20) + "}": "64", "{x" + strings.Repeat("{a,?}", 30) + "*b,z}": "64", "{" + strings.Repeat("{a,b},", 40) + "z}": "64",
		strings.Repeat("{", 500) + strings.Repeat("}", 500): `"": it is empty`,
		"{a,}": `"": it is empty`, "{a,}/b": `"/b": it starts with a slash`, "a/{b,}": `"a/": it ends in a slash`,
		"a/{b,/c}": `"a//c": it has two slashes`, "{a,.}/b": `"./b": it contains the part .`, "a/{.,b}{.,c}": `"a/..": it leaves its directory with ..`,
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.20q: %v, want %q", text, err, says)
		}
	}
	for _, text := range []string{"a..b", "...", "a/..b/c", strings.Repeat("{a,b}", 6), "[,]", "a,b", `\..\.`, "{" + strings.Repeat("{a,b},", 31) + "y,z}", "{a,.}b{c,/d}e"} {
		if _, err := Parse(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestEnter holds that every match is found by going only where Enter says so.
func TestEnter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"*", "**", "a", "b*", "?", "{a,b}", "{a/b,c}", "[ab]", ".a", ".*", "*.a", "a\\*", "{.a,b}{a,*}", "a{b,{.a,/*}}", "\u00e9?", "{e\u0301,c}*"})
		p, err := Parse(strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "pattern"), "/"))
		if err != nil {
			t.Fatal(err)
		}
		rel := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", ".a", "ab", "b.a", "a*", "\u00e9", "e\u0301b"}), 1, 5).Draw(t, "path"), "/")
		if !p.Match(rel) && !p.MatchForm(rel) {
			return
		}
		for dir := path.Dir(rel); dir != "."; dir = path.Dir(dir) {
			if !p.Enter(dir) {
				t.Fatalf("%q matches %q, and doesn't enter %q", p.Text, rel, dir)
			}
		}
	})
}

// TestAlternatives holds the matching of alternatives to that of doublestar, which tries them as it goes.
func TestAlternatives(t *testing.T) {
	var group func(deep int) *rapid.Generator[string]
	group = func(deep int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			// No star is beside a brace: with the text inside, it could become `**`.
			atoms := []*rapid.Generator[string]{rapid.SampledFrom([]string{"a", "b", "?", "[ab]", "[!,}]", "a*b", "a/b", `\,`, `\{`, "a/**/b"})}
			if deep > 0 {
				atoms = append(atoms, group(deep-1))
			}
			var all []string
			for range rapid.IntRange(1, 3).Draw(t, "alternatives") {
				all = append(all, strings.Join(rapid.SliceOfN(rapid.OneOf(atoms...), 0, 2).Draw(t, "alternative"), ""))
			}
			return "{" + strings.Join(all, ",") + "}"
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.OneOf(rapid.SampledFrom([]string{"a", "b", "?", "/", "/*/", "/**/", "a*b"}), group(0), group(2))
		pattern := strings.Join(rapid.SliceOfN(part, 1, 4).Draw(t, "pattern"), "")
		p, err := Parse(pattern)
		if err != nil || p.Dir != "." {
			t.Skip(pattern)
		}
		for range 10 {
			rel := strings.Join(rapid.SliceOfN(rapid.StringMatching("[ab,{]{1,4}"), 1, 4).Draw(t, "path"), "/")
			if want := doublestar.MatchUnvalidated(pattern, rel); p.Match(rel) != want {
				t.Fatalf("%q matches %q: %t, and should be %t", pattern, rel, !want, want)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"plots/*.png", "/tmp/**/{a,b}/[!x]?", `\*`, "./.a/.*", "{{a,b},[,{]}"} {
		f.Add(s, "a/b.png")
	}
	f.Fuzz(func(t *testing.T, pattern, rel string) {
		p, err := Parse(pattern)
		if err != nil || rel == "" {
			return
		}
		again, err := Parse(p.Text)
		if err != nil || again.Text != p.Text || again.Dir != p.Dir {
			t.Fatalf("%q becomes %q, which becomes %+v (%v)", pattern, p.Text, again, err)
		}
		if strings.Contains("/"+p.Dir+"/", "/../") {
			t.Fatalf("%q leads up: %q", pattern, p.Dir)
		}
		if paths.Form(pattern) == pattern && paths.Form(rel) == rel && p.Match(rel) != p.MatchForm(rel) {
			t.Fatalf("%q and %q are in form C, and match only byte for byte or only in form C", pattern, rel)
		}
		p.MatchForm(rel)
		p.Enter(rel)
	})
}
