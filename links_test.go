package pipec_test

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"
)

// TestLinks checks the relative links of README.md and of the pages in docs: each leads to a file or a folder of the
// repository and, if it has a fragment, to a heading of that page.
func TestLinks(t *testing.T) {
	broken, links := brokenLinks(os.DirFS("."))
	for _, problem := range broken {
		t.Error(problem)
	}
	if links < 50 {
		t.Errorf("found only %d links", links)
	}
}

// brokenLinks returns the relative links that lead nowhere, and the number of all relative links.
func brokenLinks(repository fs.FS) (broken []string, links int) {
	pages := []string{"README.md"}
	_ = fs.WalkDir(repository, "docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && path.Ext(name) == ".md" {
			pages = append(pages, name)
		}
		return err
	})
	for _, page := range pages {
		text, err := fs.ReadFile(repository, page)
		if err != nil {
			return append(broken, err.Error()), links
		}
		for _, link := range relativeLinks(string(text)) {
			links++
			if problem := followLink(repository, page, link); problem != "" {
				broken = append(broken, fmt.Sprintf("%s: %s: %s", page, link, problem))
			}
		}
	}
	return broken, links
}

// followLink returns why a link of a page leads nowhere, or "".
func followLink(repository fs.FS, page, link string) string {
	file, heading, hasHeading := strings.Cut(link, "#")
	target := page
	if file != "" {
		target = path.Join(path.Dir(page), file)
	}
	if _, err := fs.Stat(repository, target); err != nil {
		return "there is no file " + target
	}
	if !hasHeading {
		return ""
	}
	text, err := fs.ReadFile(repository, target)
	if err != nil {
		return err.Error()
	}
	if path.Ext(target) != ".md" || !slices.Contains(headings(string(text)), heading) {
		return fmt.Sprintf("%s has no heading #%s", target, heading)
	}
	return ""
}

var (
	linkTarget = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeSpan   = regexp.MustCompile("`[^`\n]*`")
	scheme     = regexp.MustCompile(`^[a-z]+:`)
	linkText   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	anchor     = regexp.MustCompile(`<a id="([^"]+)">`)
)

// relativeLinks returns the targets of a page's links to other files of the repository, and to its own headings.
func relativeLinks(page string) []string {
	var out []string
	for _, line := range textLines(page) {
		for _, m := range linkTarget.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
			if !scheme.MatchString(m[1]) {
				out = append(out, m[1])
			}
		}
	}
	return out
}

// headings returns the fragments of a page's headings, as GitHub makes them, and its anchors.
func headings(page string) []string {
	var out []string
	for _, line := range textLines(page) {
		if m := anchor.FindStringSubmatch(line); m != nil {
			out = append(out, m[1])
		}
		marks, text, ok := strings.Cut(line, " ")
		if !ok || marks == "" || strings.Trim(marks, "#") != "" {
			continue
		}
		text = linkText.ReplaceAllString(strings.TrimSpace(text), "$1")
		fragment := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, text)
		for unique, n := fragment, 0; ; n++ {
			if n > 0 {
				unique = fmt.Sprintf("%s-%d", fragment, n)
			}
			if !slices.Contains(out, unique) {
				out = append(out, unique)
				break
			}
		}
	}
	return out
}

// textLines returns the lines of a page that are not in a fenced block.
func textLines(page string) []string {
	var out []string
	fenced := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
			continue
		}
		if !fenced {
			out = append(out, strings.TrimRight(line, "\r\n"))
		}
	}
	return out
}

// TestBrokenLinks breaks each rule of links once.
func TestBrokenLinks(t *testing.T) {
	repository := fstest.MapFS{
		"README.md": {}, "src/a.go": {}, "docs/b.svg": {},
		"docs/a.md": {Data: []byte("# A `page`, and [more](x)\n\n## Twice\n\n## Twice\n\n<a id=\"9-9\"></a>\n\n```\n# no heading [no](link.md)\n```\n`[no](link.md)`\n")},
	}
	for _, c := range []struct{ link, want string }{
		{"a.md", ""},
		{"../src", ""},
		{"../src/a.go", ""},
		{"https://example.com/x", ""},
		{"#here", ""},
		{"a.md#a-page-and-more", ""},
		{"a.md#twice-1", ""},
		{"a.md#9-9", ""},
		{"c.md", "there is no file docs/c.md"},
		{"src/a.go", "there is no file docs/src/a.go"},
		{"#there", "docs/page.md has no heading #there"},
		{"a.md#twice-2", "docs/a.md has no heading #twice-2"},
		{"a.md#no-heading-no", "docs/a.md has no heading #no-heading-no"},
		{"b.svg#here", "docs/b.svg has no heading #here"},
	} {
		repository["docs/page.md"] = &fstest.MapFile{Data: []byte("# Here\n\nA [link](" + c.link + ").\n")}
		if c.want != "" {
			c.want = "docs/page.md: " + c.link + ": " + c.want
		}
		got, _ := brokenLinks(repository)
		got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, "docs/a.md: x:") })
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", c.link, got, c.want)
		}
	}
}
