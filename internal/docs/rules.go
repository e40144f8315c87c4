package docs

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"

	"pipec.dev/pipec/compiler/lint"
)

// examples is the directory of the examples of rules, which the linter's own test runs.
var examples = filepath.Join("..", "..", "compiler", "lint", "testdata", "rules")

// rulePages returns a page for each rule, and one that lists them.
func rulePages() map[string]func(io.Writer) error {
	out := map[string]func(io.Writer) error{"rules/README.md": ruleIndex}
	for _, r := range lint.All() {
		out["rules/"+r.Code+".md"] = func(w io.Writer) error { return rulePage(w, r) }
	}
	return out
}

func ruleIndex(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, `# Rules of `+"`pipec lint`"+`

Generated from the rules. The table shows each rule with its default level. `+"`pipec lint --help`"+` explains how to
set levels, and how to ignore a rule with a comment. Warnings of the compiler, such as `+"`unused`"+`, have a level too; its
errors ([diagnostics](../diagnostics.md)) have none.

| code | level | what it reports |
|---|---|---|
`)
	for _, r := range lint.All() {
		fmt.Fprintf(b, "| [`%s`](%s.md) | %s | %s |\n", r.Code, r.Code, r.Level, r.Summary)
	}
	return b.Flush()
}

func rulePage(w io.Writer, r *lint.Rule) error {
	a, err := txtar.ParseFile(filepath.Join(examples, r.Code+".txtar"))
	if err != nil {
		return err
	}
	part := map[string]string{}
	for _, f := range a.Files {
		part[f.Name] = strings.TrimSpace(string(f.Data))
	}
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "<!-- Generated from the rule and its example by `make generate`; do not edit. -->\n\n%s", r.Page())
	fmt.Fprintf(b, "\n## Example\n\n```hcl\n%s\n```\n\n```\n%s\n```\n\nBetter:\n\n```hcl\n%s\n```\n", part["bad.pipec.hcl"], part["output"], part["good.pipec.hcl"])
	return b.Flush()
}
