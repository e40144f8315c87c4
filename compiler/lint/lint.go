// Package lint finds what compiles but is probably a mistake or bad practice: steps that may hang forever, secrets in plain
// text, images that can change. Each rule is a file with its code, level, texts and check. A page of docs/rules is
// generated from it and from an example that a test runs.
//
// A rule looks at a project without errors: at its checked model, and at the tree of its blocks. It reads no files, uses no
// network and stops no run. The compiler doesn't depend on rules; errors are reported by package check.
//
// Because a rule looks at the model and not at text, it works for HCL and YAML. Only comments are read from sources, by a
// reader for each syntax. The pipelines of libraries are linted where they are called, because the caller determines the stack
// that they run on. Secrets that are found are masked before any format prints them, even if a comment ignores the finding.
package lint

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// Rule is one rule of the linter.
type Rule struct {
	Code    string // stable, and different from the codes of the compiler
	Level   Level  // the default level
	Summary string // one sentence: what the rule reports
	Doc     string // why, and what to do, in Markdown
	Check   func(*Pass)
	// Needs is the attribute of a step that the rule is about, if that is not supported yet. The rule is not active then.
	Needs string
}

// Page returns the rule's documentation in Markdown.
func (r *Rule) Page() string {
	return fmt.Sprintf("# %s\n\n%s\n\nLevel: `%s`.\n\n%s\n", r.Code, r.Summary, r.Level, r.Doc)
}

// Project is the input of rules: a compiled project without errors.
type Project struct {
	Evaluated *evaluate.Project
	Blocks    []*decode.Block
	Pipelines []*model.Pipeline
	Programs  []*program.Program // those of the pipelines
	Stacks    []*program.Stack
	Kinds     *kinds.Set // the kinds of the stacks
	Sources   map[string][]byte
	Levels    Levels
	// Library is true for a library of the linted project. Findings about its files alone are for those who work on the
	// library.
	Library bool
	// Libraries are the libraries whose pipelines the project calls, with these pipelines.
	Libraries []*Project

	clustered map[string]bool             // the rules that asked whether a stack is a cluster
	programs  map[string]*program.Program // by the pipeline's name
	ignores   *Ignores                    // read on first use: most projects have none, and reading comments takes time
}

// Options configure Run.
type Options struct {
	Levels Levels        // take precedence over the project's own
	Only   []string      // the codes of the rules to run; empty: all
	Lock   *program.Lock // what has been pushed; nil: nothing
}

// Report is the result of Run.
type Report struct {
	Diags []diag.Diagnostic
	// Secrets are the ranges that must not be shown; see diag.Mask. They are listed even if their findings are ignored.
	Secrets []hcl.Range
}

// Pass is the run of one rule on a project.
type Pass struct {
	*Project
	Options Options

	rule   *Rule
	level  Level
	report *Report
	asked  func(code string) bool
	codes  []string // all codes that have a level
}

// Run runs the rules, and returns the findings that no comment ignores, sorted. found are the compiler's diagnostics: its
// warnings have levels too.
func Run(p *Project, found []diag.Diagnostic, o Options) Report {
	levels := p.Levels.With(o.Levels)
	var r Report
	for _, d := range found {
		if d, on := levels.apply(d); on {
			r.Diags = append(r.Diags, d)
		}
	}
	asked := func(code string) bool {
		return levels.of(code) != Off && (len(o.Only) == 0 || slices.Contains(o.Only, code))
	}
	codes := Codes()
	run := func(p *Project, list []*Rule, r *Report) {
		for _, rule := range list {
			if asked(rule.Code) {
				(&Pass{Project: p, Options: o, rule: rule, level: levels.of(rule.Code), report: r, asked: asked, codes: codes}).check()
			}
		}
	}
	run(p, working(rules), &r)
	r.Diags = p.comments().Apply(r.Diags)
	run(p, aboutIgnores, &r)
	for _, lib := range p.Libraries {
		var l Report
		run(lib, working(rules), &l)
		r.Secrets = append(r.Secrets, l.Secrets...)
		for _, d := range lib.comments().Apply(l.Diags) {
			d.Fix = nil // the file belongs to another project
			r.Diags = append(r.Diags, d)
		}
	}
	var sorted diag.List
	sorted.Add(r.Diags...)
	r.Diags = sorted.Sorted()
	return r
}

// check runs the rule. A panic of the rule becomes a diagnostic, and the other rules run.
func (p *Pass) check() {
	defer func() {
		if v := recover(); v != nil {
			p.Report(diag.Internal(hcl.Range{}, "checking the rule "+p.rule.Code, v, true)) // rules read secrets that are not declared
		}
	}()
	p.rule.Check(p)
}

// Unignored removes the warnings of the compiler that a comment ignores or that are off in the project. A comment that it
// uses counts as used in Run.
func (p *Project) Unignored(found diag.List) diag.List {
	if found.Len() == 0 {
		return found
	}
	var on []diag.Diagnostic
	for _, d := range p.comments().Apply(found.Sorted()) {
		if d.Severity == diag.Error || p.Levels[d.Code] != Off {
			on = append(on, d)
		}
	}
	var out diag.List
	out.Add(on...)
	return out
}

func (p *Project) comments() *Ignores {
	if p.ignores == nil {
		p.ignores = FindIgnores(p.Blocks, p.Sources)
	}
	return p.ignores
}

// New returns a diagnostic of the rule.
func (p *Pass) New(at hcl.Range, format string, args ...any) diag.Diagnostic {
	d := diag.New(p.rule.Code, at, format, args...)
	d.Severity = p.level.severity()
	return d
}

// Report adds a diagnostic to the report.
func (p *Pass) Report(d diag.Diagnostic) { p.report.Diags = append(p.report.Diags, d) }

// Steps calls yield for each step of each pipeline, including those of finally.
func (p *Project) Steps(yield func(*model.Pipeline, *model.Step) bool) {
	for _, pl := range p.Pipelines {
		for _, s := range pl.Steps {
			if !yield(pl, s) {
				return
			}
		}
	}
}

// Program returns the program of a pipeline, or nil if it has none of its own.
func (p *Project) Program(pl *model.Pipeline) *program.Program {
	if p.programs == nil {
		p.programs = map[string]*program.Program{}
		for _, prog := range p.Programs {
			p.programs[prog.Pipeline] = prog
		}
	}
	return p.programs[pl.Block.Label]
}

// Clustered reports whether a stack of the project runs its steps as pods. It doesn't depend on the chosen stack, so that
// a project is linted the same way on every machine.
func (p *Project) Clustered() bool {
	return slices.ContainsFunc(p.Stacks, p.Kinds.Pods)
}

// Clustered reports the same for the rule's project, and records that the rule depends on it.
func (p *Pass) Clustered() bool {
	if p.clustered == nil {
		p.clustered = map[string]bool{}
	}
	p.clustered[p.rule.Code] = true
	return p.Project.Clustered()
}
