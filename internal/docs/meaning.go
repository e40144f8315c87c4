package docs

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"pipec.dev/pipec/internal/rules"
)

// meaning is the directory of the cases of the rules, which both drivers run.
var meaning = filepath.Join("..", "..", "testdata", "rules")

// meaningPages returns a page for each rule of the language, and one that lists them.
func meaningPages() map[string]func(io.Writer) error {
	const index = "meaning/README.md"
	all, err := rules.Rules(meaning)
	if err != nil {
		return map[string]func(io.Writer) error{index: func(io.Writer) error { return err }}
	}
	cases, err := rules.Load(meaning)
	if err != nil {
		return map[string]func(io.Writer) error{index: func(io.Writer) error { return err }}
	}
	out := map[string]func(io.Writer) error{index: func(w io.Writer) error { return meaningIndex(w, all, cases) }}
	for _, r := range all {
		out[fmt.Sprintf("meaning/%d.md", r.Number)] = func(w io.Writer) error { return meaningPage(w, r, cases) }
	}
	return out
}

func meaningIndex(w io.Writer, all []rules.Rule, cases []*rules.Case) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, `# What a pipeline means

Generated from the cases of `+"`test/rules`"+` by `+"`make generate`"+`. They are the rules of the language, clause by clause, with
small projects and their results. A test runs each project on this machine and on a cluster. Both must have the same outcome,
byte by byte. A case states its exceptions:

- that only one of the two runs it,
- what the outcome omits because it may differ,
- how many instances run at once, because a cluster may start fewer.
`)
	for _, r := range all {
		fmt.Fprintf(b, "\n## [%d. %s](%d.md)\n\n%s\n", r.Number, r.Title, r.Number, r.Text)
		fmt.Fprintln(b)
		for _, c := range cases {
			if c.Rule == r.Number {
				fmt.Fprintf(b, "- [%s](%d.md#%s)\n", plain(c.Clause), r.Number, c.Name)
			}
		}
	}
	return b.Flush()
}

func meaningPage(w io.Writer, r rules.Rule, cases []*rules.Case) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "<!-- Generated from test/rules by `make generate`; do not edit. -->\n\n# %d. %s\n\n%s\n", r.Number, r.Title, r.Text)
	for _, c := range cases {
		if c.Rule == r.Number {
			meaningCase(b, c)
		}
	}
	return b.Flush()
}

func meaningCase(b *bufio.Writer, c *rules.Case) {
	fmt.Fprintf(b, "\n<a id=\"%s\"></a>\n\n---\n\n**%s**\n", c.Name, c.Clause)
	if c.Text != "" {
		fmt.Fprintf(b, "%s\n", c.Text)
	}
	if c.Only != "" {
		fmt.Fprintf(b, "\nOnly on %s, because %s.\n", map[string]string{"local": "this machine", "cluster": "a cluster"}[c.Only], c.Because)
	}
	for _, f := range c.Files {
		fmt.Fprintf(b, "\n```%s\n%s\n```\n", strings.TrimPrefix(filepath.Ext(f.Name), "."), strings.TrimSpace(string(f.Data)))
	}
	for _, run := range c.Runs {
		for _, act := range run.Acts {
			fmt.Fprintf(b, "\nOnce `%s` has written `%s`: `%s`.\n", act.Step, act.Line, strings.Join(act.Command, " "))
		}
	}
	fmt.Fprintf(b, "\n```\n%s\n```\n", strings.TrimSpace(c.Want))
	if len(c.AtOnce) > 0 {
		fmt.Fprint(b, "\n\"At once\" is the largest number of instances that were running at the same time.")
		if c.Only == "" {
			fmt.Fprint(b, " On a cluster the number may be smaller.")
		}
		fmt.Fprintln(b)
	}
	if len(c.Without) > 0 {
		fmt.Fprintf(b, "\nNot shown: %s.\n", leftOut(c.Without))
	}
}

// leftOut returns what the outcome of a case omits.
func leftOut(without []string) string {
	names := map[string]string{"steps": "the steps", "logs": "the lines that steps write", "outputs": "the outputs of steps", "messages": "the messages of failures"}
	var out []string
	for _, w := range without {
		out = append(out, names[w])
	}
	return strings.Join(out, ", ")
}

// plain returns a clause for use as the text of a link, which can't contain links or brackets.
func plain(text string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`).Replace(text)
}
