package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/lint"
)

const lintLong = `Tells what compiles and yet is probably not meant, or not wise, beside all that validate tells. Offline, as
validate is. --rules lists the rules; each has a page in docs/rules.

A rule's level is error, warning, note or off. The project sets it:

  pipec {
    project = "digits"
    lint = {
      no-timeout = "error"
      same-name  = "off"
    }
  }

and --level CODE=LEVEL does for once. A comment on the line before, or at the end of the first line of, an attribute or a
block ignores what is told of it and of all in it; the reason is wanted, and a comment that is of no use is told:

  # pipec:ignore no-timeout,unused-output the operator ends it

Of libraries, the pipelines that the project calls are looked at: what is found stands where they do, and a comment there
ignores it. All else of a library is told in its own directory, which is a project.

--fix writes what can certainly be mended into the project's own files, each at once or not at all, and reports what
remains.

Exit status 1 where there is an error or a warning. --minimum-failure-severity error lets warnings pass, note lets
nothing pass.

` + formatsLong

type lintOptions struct {
	format, least string
	levels, only  []string
	fix, rules    bool
}

func (a *app) lintCommand() *cobra.Command {
	var o lintOptions
	cmd := &cobra.Command{
		Use:   "lint [FILE|DIR]...",
		Short: "Check a project for what is probably not meant",
		Long:  lintLong,
		RunE:  func(_ *cobra.Command, args []string) error { return a.lint(args, o) },
	}
	f := cmd.Flags()
	formatFlag(cmd, &o.format)
	f.BoolVar(&o.fix, "fix", false, "mend what can certainly be mended, in the files")
	f.StringArrayVar(&o.levels, "level", nil, "a rule's level, as `CODE=LEVEL`, over the project's; may be repeated")
	f.StringSliceVar(&o.only, "only", nil, "ask these rules alone, as `CODE,CODE`")
	f.StringVar(&o.least, "minimum-failure-severity", string(diag.Warning), "what makes it fail: `error`, warning or note")
	f.BoolVar(&o.rules, "rules", false, "list the rules")
	return cmd
}

func (a *app) lint(args []string, o lintOptions) error {
	write, err := formatNamed(o.format)
	if err != nil {
		return err
	}
	if o.rules {
		return a.listRules(o.format)
	}
	options, err := o.parse()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{a.dir}
	}
	l := linter{app: a, options: options, fix: o.fix, done: map[string]linted{}, sources: map[string][]byte{}}
	for _, arg := range args {
		if err := l.add(arg); err != nil {
			return err
		}
	}
	v := diag.NewView(l.found, l.sources)
	draw := a.diagOptions()
	draw.Version, draw.Fails = pipecVersion(), diag.Severity(o.least)
	for _, r := range lint.All() {
		c, _ := lint.Describe(r.Code)
		draw.Rules = append(draw.Rules, c)
	}
	if o.format != "human" || len(l.found) > 0 {
		if err := write(a.stdout, v, draw); err != nil {
			return world(err)
		}
	}
	if slices.ContainsFunc(l.found, func(d diag.Diagnostic) bool { return d.Severity.AtLeast(diag.Severity(o.least)) }) {
		return said(exitUser)
	}
	if o.format == "human" && len(l.found) == 0 {
		summary := l.summary
		if len(l.done) > 1 {
			summary = fmt.Sprintf("%d projects", len(l.done))
		}
		_, err := fmt.Fprintf(a.stdout, "%s %s.\n", a.paint("32;1", "Nothing to tell:"), summary)
		return world(err)
	}
	return nil
}

// parse checks what the flags name.
func (o lintOptions) parse() (lint.Options, error) {
	out := lint.Options{Levels: lint.Levels{}}
	switch o.least {
	case string(diag.Error), string(diag.Warning), string(diag.Note):
	default:
		return out, usage("--minimum-failure-severity is error, warning or note, and not %q", o.least)
	}
	for _, code := range o.only {
		if err := knownRule(code); err != nil {
			return out, err
		}
		out.Only = append(out.Only, code)
	}
	for _, text := range o.levels {
		code, level, ok := strings.Cut(text, "=")
		if !ok {
			return out, usage("--level is CODE=LEVEL, such as no-timeout=off, and not %q", text)
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

// linter collects what is found in the projects of the command's arguments.
type linter struct {
	app     *app
	options lint.Options
	fix     bool
	done    map[string]linted // by directory
	found   []diag.Diagnostic
	sources map[string][]byte // masked where a secret stands in them
	summary string
}

// linted is a project that has been looked at.
type linted struct {
	result *compiler.Result
	report lint.Report
}

func (l *linter) add(arg string) error {
	dir, only, err := target(arg)
	if err != nil {
		return err
	}
	p, done := l.done[dir]
	if !done || l.fix {
		if p, err = l.look(dir, only); err != nil {
			return err
		}
		l.done[dir] = p
	}
	for name, src := range diag.Mask(p.result.Sources, p.report.Secrets) {
		l.sources[name] = src
	}
	for _, d := range p.report.Diags {
		if only == "" || d.Range.Filename == only {
			l.found = append(l.found, d)
		}
	}
	l.summary = describeProject(p.result)
	return nil
}

// maxFixes is how often a project is looked at again after fixes: one may lay another open.
const maxFixes = 10

// look lints a project, and mends it where that is asked for.
func (l *linter) look(dir, only string) (linted, error) {
	lock, err := lockOf(dir)
	if err != nil {
		return linted{}, err
	}
	options := l.options
	options.Lock = lock
	for round := 0; ; round++ {
		r, err := l.app.compile(dir)
		if err != nil {
			return linted{}, err
		}
		p := linted{r, r.Lint(options)}
		if !l.fix || round == maxFixes {
			return p, nil
		}
		changed, err := l.app.mend(p, only)
		if err != nil || !changed {
			return p, err
		}
	}
}
