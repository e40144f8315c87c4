package packaging_test

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"pipec.dev/pipec/runtime/image/base"
	"pipec.dev/pipec/runtime/image/packaging"
)

// The expected results in testdata are those of Python's library packaging: see testdata/make.py.
func lines(t *testing.T, name string) []string {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []string
	for s := bufio.NewScanner(f); s.Scan(); {
		out = append(out, s.Text())
	}
	if len(out) == 0 {
		t.Fatal(name, "is empty")
	}
	return out
}

func TestTags(t *testing.T) {
	got := map[string]map[string]int{}
	rank := map[string]int{}
	for _, line := range lines(t, "tags.txt") {
		f := strings.Fields(line)
		key := strings.Join(f[:4], " ")
		if got[key] == nil {
			target := packaging.Target{Platform: map[string]string{"x86_64": "linux/amd64", "aarch64": "linux/arm64"}[f[3]], Python: base.Python{Version: "3." + f[0] + ".1"}}
			target.Libc.Name = f[1]
			target.Libc.Major = map[string]int{"glibc": 2, "musl": 1}[f[1]]
			_, _ = fmt.Sscan(f[2], &target.Libc.Minor)
			got[key] = target.Tags()
		}
		if r, ok := got[key][f[4]]; !ok || r != rank[key] {
			t.Errorf("%s: expected rank %d, found %d, %v", line, rank[key], r, ok)
		}
		rank[key]++
	}
	for key, tags := range got {
		if len(tags) != rank[key] {
			t.Errorf("%s: expected %d tags, found %d", key, rank[key], len(tags))
		}
	}
}

func TestVersions(t *testing.T) {
	all := lines(t, "versions.txt")
	for _, line := range all {
		text, want, _ := strings.Cut(line, " ")
		v, err := packaging.ParseVersion(text)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, other := range all {
			o, _ := packaging.ParseVersion(strings.Fields(other)[0])
			if v.Compare(o) > 0 {
				n++
			}
			if c := v.Compare(o); c != -o.Compare(v) {
				t.Errorf("%s and %s: %d", text, other, c)
			}
		}
		if fmt.Sprint(n) != want {
			t.Errorf("%s: expected %s smaller versions, found %d", text, want, n)
		}
	}
	for _, bad := range []string{"", "x", "1.0.x", "1..0", "1.0-", "1.0+", "1.0++a", strings.Repeat("1.", 500) + "1"} {
		if _, err := packaging.ParseVersion(bad); err == nil {
			t.Errorf("%.50q is accepted", bad)
		}
	}
}

func TestSpecifiers(t *testing.T) {
	for _, line := range lines(t, "specifiers.txt") {
		f := strings.Fields(line)
		got, err := packaging.Matches(strings.Trim(f[0], "-"), f[1])
		if err != nil || got != (f[2] == "True") {
			t.Errorf("%s: %v, %v", line, got, err)
		}
	}
	for _, bad := range []string{"1.0", "=1.0", "==x", ">=1.*", "~=1"} {
		if _, err := packaging.Matches(bad, "1.0"); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func target() packaging.Target {
	return packaging.Target{Platform: "linux/arm64", Python: base.Python{Version: "3.10.13"}}
}

func TestMarkers(t *testing.T) {
	for _, line := range lines(t, "markers.txt") {
		want, text, _ := strings.Cut(line, " ")
		got, err := target().Evaluate(text, packaging.Extras{Extras: []string{"gpu"}})
		if err != nil || got != (want == "True") {
			t.Errorf("%s: %v, %v", line, got, err)
		}
	}
	for text, want := range map[string]bool{"": true, "'dev' in dependency_groups": true, "'test' not in dependency_groups": true, "'a_b' in extras": true, "'c' in extras": false} {
		got, err := target().Evaluate(text, packaging.Extras{Extras: []string{"A-B"}, Groups: []string{"dev"}})
		if err != nil || got != want {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"x", "python_version", "python_version >=", "unknown == '1'", "(os_name == 'posix'", "os_name == 'posix')", "os_name = 'posix'", "os_name not 'x'", "os_name ~= 'posix'", "'a", "extra < 'a'",
		strings.Repeat("(", 1000) + "os_name == 'a'" + strings.Repeat(")", 1000)} {
		if got, err := target().Evaluate(bad, packaging.Extras{}); err == nil {
			t.Errorf("%.60q is accepted: %v", bad, got)
		}
	}
}

// FuzzMarker: no text makes the evaluation panic.
func FuzzMarker(f *testing.F) {
	f.Add("python_version >= '3.9' and (sys_platform == 'linux' or extra == 'x')")
	f.Add("'1.0.post1' ~= python_version")
	f.Fuzz(func(_ *testing.T, text string) {
		_, _ = target().Evaluate(text, packaging.Extras{})
		_, _ = packaging.Matches(text, "1.0")
	})
}
