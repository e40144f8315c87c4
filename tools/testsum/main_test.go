package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const skipped = `{"Action":"skip","Package":"p","Test":"TestA/part"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"pass","Package":"p"}
`

func TestRun(t *testing.T) {
	for _, c := range []struct {
		name, in, skips string
		status          int
		want            []string
		last            string
	}{
		{"passes", `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"quiet\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Elapsed":1.25}
`, "", 0, []string{"ok    p  1.2s"}, "1 passed, 0 failed, 0 skipped"},
		{"a failure is shown", `{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:1: bad\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p"}
`, "", 1, []string{"p: TestA", "a_test.go:1: bad", "FAIL  p"}, "1 passed, 1 failed, 0 skipped"},
		{"a package that can't be built", `{"ImportPath":"p","Action":"build-output","Output":"a.go:1: syntax\n"}
{"ImportPath":"p","Action":"build-fail"}
{"Action":"output","Package":"p","Output":"FAIL p [build failed]\n"}
{"Action":"fail","Package":"p"}
`, "", 1, []string{"a.go:1: syntax", "[build failed]"}, "0 passed, 1 failed, 0 skipped"},
		{"a package that ends early", `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"panic: oh\n"}
{"Action":"fail","Package":"p"}
`, "", 1, []string{"panic: oh"}, "1 passed, 1 failed, 0 skipped"},
		{"a skip without a reason", skipped, "", 1, []string{"skipped: p TestA/part: THIS"}, "1 passed, 0 failed, 1 skipped"},
		{"a skip with one", skipped, "p TestA | true | no cluster\n", 0, []string{"p TestA/part: no cluster"}, "1 passed, 0 failed, 1 skipped"},
		{"a skip that could run", skipped, "# why\np TestA | false | no cluster\n", 1, []string{"THIS MACHINE CAN RUN IT"}, "1 passed, 0 failed, 1 skipped"},
		{"the skip of another", skipped, "p Test | true | no\nq TestA | true | no\n", 1, []string{"THIS"}, "1 passed, 0 failed, 1 skipped"},
		{"skips of a whole package", skipped, "p * | true | no cluster\n", 0, []string{"p TestA/part: no cluster"}, "1 passed, 0 failed, 1 skipped"},
		{"skips of another whole package", skipped, "q * | true | no cluster\n", 1, []string{"THIS"}, "1 passed, 0 failed, 1 skipped"},
		{"nothing", "", "", 1, []string{"no test"}, "0 passed, 0 failed, 0 skipped"},
		{"other words", "go: downloading x\n" + skipped, "p TestA | true | no\n", 0, []string{"go: downloading x"}, "1 passed, 0 failed, 1 skipped"},
		{"no list", skipped, "p TestA\n", 1, nil, "expected PACKAGE TEST | COMMAND | WHY"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "skips")
			if err := os.WriteFile(path, []byte(c.skips), 0o600); err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			if got := run(strings.NewReader(c.in), &out, path); got != c.status {
				t.Errorf("status %d, want %d", got, c.status)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q is not in:\n%s", want, out.String())
				}
			}
			if strings.Contains(out.String(), "quiet") {
				t.Error("it shows what a test that passed wrote")
			}
			if !strings.HasSuffix(strings.TrimRight(out.String(), "\n"), c.last) {
				t.Errorf("it does not end with %q:\n%s", c.last, out.String())
			}
		})
	}
}
