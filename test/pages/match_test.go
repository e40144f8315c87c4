package pages

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// vary are the parts of an output that differ between runs, with what they are compared as.
var vary = []struct {
	find *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`\d{8}-\d{6}-[0-9a-f]{4}\b|\b\d{12}-[0-9a-f]{4}\b`), "NUMBER"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?`), "TIME"},
	{regexp.MustCompile(`\b(\d+d)?(\d+h)?(\d+m)?(\d+(\.\d+)?(s|ms|µs)|\d[hm])\b`), "DURATION"},
	{regexp.MustCompile(`sha256:[0-9a-f]{12,64}`), "DIGEST"},
	{regexp.MustCompile(`  +`), "  "},
}

// normal returns a line without what may differ.
func normal(line string) string {
	line = strings.TrimRight(line, " \t\r")
	for _, v := range vary {
		line = v.find.ReplaceAllString(line, v.as)
	}
	return line
}

// elision reports whether a line of an expected output is any number of lines.
func elision(line string) bool { s := strings.TrimSpace(line); return s == "…" || s == "..." }

// fits reports whether a printed line is the expected one.
func fits(want, got string) bool {
	if !strings.Contains(want, "…") {
		return want == got
	}
	parts := strings.Split(want, "…")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	ok, _ := regexp.MatchString("^"+strings.Join(parts, ".*")+"$", got)
	return ok
}

// lines returns the lines of an output, without what may differ and without empty lines at its end.
func lines(output string) []string {
	out := strings.Split(strings.TrimRight(output, "\n"), "\n")
	for i := range out {
		out[i] = normal(out[i])
	}
	return out
}

// compare returns how a command's output differs from the expected lines. Without expected lines, any output is right.
func compare(want []string, output string, anyOrder bool) error {
	if len(want) == 0 {
		return nil
	}
	want = lines(strings.Join(want, "\n"))
	got := lines(output)
	if anyOrder {
		return compareSets(want, got)
	}
	ahead := 0 // the number of expected lines that were found
	if matches(want, got, &ahead, 0) {
		return nil
	}
	if ahead == len(want) {
		return fmt.Errorf("more lines than expected were printed:\n%s", output)
	}
	return fmt.Errorf("expected the line %q in its place, found:\n%s", want[ahead], output)
}

func matches(want, got []string, ahead *int, at int) bool {
	*ahead = max(*ahead, at)
	switch {
	case at == len(want):
		return len(got) == 0
	case elision(want[at]):
		for skip := 0; skip <= len(got); skip++ {
			if matches(want, got[skip:], ahead, at+1) {
				return true
			}
		}
		return false
	}
	return len(got) > 0 && fits(want[at], got[0]) && matches(want, got[1:], ahead, at+1)
}

func compareSets(want, got []string) error {
	left, open := slices.Clone(got), false
	for _, line := range want {
		if elision(line) {
			open = true
			continue
		}
		i := slices.IndexFunc(left, func(l string) bool { return fits(line, l) })
		if i < 0 {
			return fmt.Errorf("expected the line %q, found:\n%s", line, strings.Join(got, "\n"))
		}
		left = slices.Delete(left, i, i+1)
	}
	if !open && len(left) > 0 {
		return fmt.Errorf("more lines than expected were printed:\n%s", strings.Join(left, "\n"))
	}
	return nil
}

func TestCompare(t *testing.T) {
	const run = "run hello-20261123-151026-7f8a\na: started\nb: started\nb: succeeded in 1m1.5s\nhello-261125184837-4ad2 2026-11-25 18:48:37\n"
	for _, c := range []struct {
		name, want, got string
		anyOrder, right bool
	}{
		{"no output is expected", "", run, false, true},
		{"times and names of runs", "run hello-20200101-000000-0000\na: started\nb: started\nb: succeeded in 0.2s\nhello-200101000000-0000 2020-01-01 01:01:01", run, false, true},
		{"the name of the pipeline", "run hullo-20200101-000000-0000\n…", run, false, false},
		{"a part", "...\nb: started\n…", run, false, true},
		{"a part in the wrong order", "…\nb: started\na: started\n…", run, false, false},
		{"a part of a line", "…\nb: suc… in …\n…", run, false, true},
		{"the end is missing", "run hello-20200101-000000-0000\na: started", run, false, false},
		{"one line too many", "…\nc: started\n…", run, false, false},
		{"any order", "b: started\na: started\n…", run, true, true},
		{"any order, whole", "b\na", "a\nb\n", true, true},
		{"any order, and one more", "b\na", "a\nb\nc\n", true, false},
		{"any order, twice", "a\na\n…", "a\nb\n", true, false},
		{"the width of columns", "a   b", "a       b\n", false, true},
		{"a number", "accuracy = 0.96", "accuracy = 0.97\n", false, false},
	} {
		want := strings.Split(c.want, "\n")
		if c.want == "" {
			want = nil
		}
		if err := compare(want, c.got, c.anyOrder); (err == nil) != c.right {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
