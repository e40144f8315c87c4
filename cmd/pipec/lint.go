package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
	"pipec.dev/pipec/internal/app/check"
	"pipec.dev/pipec/internal/app/fault"
)

const lintLong = `Reports what compiles and is probably not intended, or not wise, besides everything that validate reports. It works
offline. --rules lists the rules; each has a page in docs/rules.

The level of a rule is error, warning, note or off. The project sets it:

  pipec {
    project = "digits"
    lint = {
      no-timeout = "error"
      same-name  = "off"
    }
  }

--level CODE=LEVEL sets it for one call. A comment suppresses findings in an attribute or a block: on the line before it,
or at the end of its first line. Give a reason; a comment that suppresses nothing is reported:

  # pipec:ignore no-timeout,unused-output the operator ends it

Of libraries, the pipelines that the project calls are linted. Their findings are reported in the library's files, and a
comment there suppresses them. To lint all of a library, lint its own directory, which is a project.

--fix writes fixes that are certain to be right to the project's own files, each file completely or not at all, and
reports the remaining findings.

The exit status is 1 if there is an error or a warning. With --minimum-failure-severity error, warnings don't count; with
note, notes count too.

` + formatsLong

// linter lints projects.
type linter struct {
	*cli
	format, least string
	levels, only  []string
	fix, rules    bool
}

func lintCommand(c *cli) *cobra.Command {
	l := linter{cli: c}
	cmd := &cobra.Command{
		Use:   "lint [FILE|DIR]...",
		Short: "Check a project for probable mistakes",
		Long:  lintLong,
		Example: `  pipec lint
  pipec lint --fix
  pipec lint --level no-timeout=off --minimum-failure-severity error`,
		RunE: func(_ *cobra.Command, args []string) error { return l.lint(args) },
	}
	f := cmd.Flags()
	formatFlag(cmd, &l.format)
	f.BoolVar(&l.fix, "fix", false, "write fixes that are certain to be right to the files")
	f.StringArrayVar(&l.levels, "level", nil, "set a rule's level, as `CODE=LEVEL`, for this call; may be repeated")
	f.StringSliceVar(&l.only, "only", nil, "check these rules only, as `CODE,CODE`")
	f.StringVar(&l.least, "minimum-failure-severity", string(diag.Warning), "the lowest severity that fails: `error`, warning or note")
	f.BoolVar(&l.rules, "rules", false, "list the rules")
	return cmd
}

func (l *linter) lint(paths []string) error {
	write, err := formatNamed(l.format)
	if err != nil {
		return err
	}
	if l.rules {
		return l.listRules()
	}
	rules, err := l.parse()
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		paths = []string{l.dir}
	}
	found, err := check.Lint(l.project, paths, check.LintOptions{
		Rules: rules, Fix: l.fix, Fixed: func(name string) { fmt.Fprintln(l.stderr, "fixed "+name) },
	})
	if err != nil {
		return err
	}
	if l.format != "human" || len(found.Diags) > 0 {
		if err := write(l.stdout, diag.NewView(found.Diags, found.Sources), l.drawing()); err != nil {
			return fault.Env(err)
		}
	}
	if slices.ContainsFunc(found.Diags, func(d diag.Diagnostic) bool { return d.Severity.AtLeast(diag.Severity(l.least)) }) {
		return silent(exitUser)
	}
	if l.format == "human" && len(found.Diags) == 0 {
		_, err := fmt.Fprintf(l.stdout, "%s %s.\n", l.paint("32;1", "Nothing found:"), describe(found))
		return fault.Env(err)
	}
	return nil
}

// drawing is the format of the diagnostics.
func (l *linter) drawing() diag.Options {
	o := l.diagOptions()
	o.Version, o.Fails = pipecVersion(), diag.Severity(l.least)
	for _, r := range lint.All() {
		code, _ := lint.Describe(r.Code)
		o.Rules = append(o.Rules, code)
	}
	return o
}

// listRules lists the rules with their levels.
func (l *linter) listRules() error {
	if l.format != "human" {
		return usage("--rules has no other format than human")
	}
	width := 0
	for _, r := range lint.All() {
		width = max(width, len(r.Code))
	}
	for _, r := range lint.All() {
		if _, err := fmt.Fprintf(l.stdout, "%-*s  %-7s  %s\n", width, r.Code, r.Level, strings.ReplaceAll(r.Summary, "`", "")); err != nil {
			return fault.Env(err)
		}
	}
	return nil
}

// parse checks what the flags name.
func (l *linter) parse() (lint.Options, error) {
	out := lint.Options{Levels: lint.Levels{}}
	switch l.least {
	case string(diag.Error), string(diag.Warning), string(diag.Note):
	default:
		return out, usage("--minimum-failure-severity must be error, warning or note, not %q", l.least)
	}
	for _, code := range l.only {
		if err := knownRule(code); err != nil {
			return out, err
		}
		out.Only = append(out.Only, code)
	}
	for _, text := range l.levels {
		code, level, ok := strings.Cut(text, "=")
		if !ok {
			return out, usage("--level must be CODE=LEVEL, such as no-timeout=off, not %q", text)
		}
		if err := knownRule(code); err != nil {
			return out, err
		}
		if !slices.Contains(lint.LevelNames, level) {
			d := lint.UnknownLevel(diag.Diagnostic{}, level)
			if d.Suggestion == "" {
				d.Suggestion = "one of " + strings.Join(lint.LevelNames, ", ")
			}
			return out, usage("there is no level %q: %s", level, d.Suggestion)
		}
		out.Levels[code] = lint.Level(level)
	}
	return out, nil
}

func knownRule(code string) error {
	if _, known := lint.Describe(code); known {
		return nil
	}
	hint := "; --rules lists them"
	if s := diag.Suggest(code, lint.Codes()); s != "" {
		hint = fmt.Sprintf("; did you mean %q?", s)
	}
	return usage("there is no rule %q%s", code, hint)
}
