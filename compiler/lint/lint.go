// Package lint finds what compiles and yet is probably not meant, or not wise: steps that may hang for ever, secrets in
// the open, images that change under a pipeline. Each rule is a file with its code, level, words and check; a page of
// docs/rules is made of it, and of an example that a test runs.
//
// A rule looks at a project without errors: at its checked model, and at the tree of its blocks. It reads no file, asks
// nobody, and stops nothing: the compiler neither knows the rules nor waits for them. What is wrong is check's to tell.
package lint

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

// Rule is one thing to look for.
type Rule struct {
	Code    string // stable, as the codes of the compiler are, and none of them
	Level   Level  // where the project says nothing
	Summary string // one sentence: what is told
	Doc     string // why, and what to do, in Markdown
	Check   func(*Pass)
	// Needs is the attribute of a step that it is about, where that is not yet in the language: then the rule is not either.
	Needs string
}

// Page is what a rule is about, in Markdown.
func (r *Rule) Page() string {
	return fmt.Sprintf("# %s\n\n%s\n\nLevel: `%s`.\n\n%s\n", r.Code, r.Summary, r.Level, r.Doc)
}

// Project is what rules look at: a compiled project without errors.
type Project struct {
	Evaluated *evaluate.Project
	Blocks    []*decode.Block
	Pipelines []*model.Pipeline
	Programs  []*program.Program // those of the pipelines
	Stacks    []*program.Stack
	Sources   map[string][]byte
	Levels    Levels
	// Library says that it is a library of the project that is looked at: what is about its files alone is for those who
	// work in it.
	Library bool
	// Libraries are those of which the project calls pipelines, with these pipelines.
	Libraries []*Project

	clustered map[string]bool             // the rules that asked whether a stack is a cluster
	programs  map[string]*program.Program // by the pipeline's name
	ignores   *Ignores                    // once asked for: most projects have none, and reading comments takes time
}

// Options say how to look.
type Options struct {
	Levels Levels        // over the project's own
	Only   []string      // the codes of the rules that are asked; empty: all
	Lock   *program.Lock // what has been pushed; nil: nothing
}

// Report is what was found.
type Report struct {
	Diags []diag.Diagnostic
	// Secrets are the places that must not be shown; see diag.Mask. They are here even where what was told of them is
	// ignored.
	Secrets []hcl.Range
}

// Pass is one rule at work on a project.
type Pass struct {
	*Project
	Options Options

	rule   *Rule
	level  Level
	report *Report
	asked  func(code string) bool
	codes  []string // all that have a level
}

// Run asks the rules, and tells what the comments of the sources don't ignore, sorted. found is what the compiler
// has told already: its warnings have levels too.
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
				rule.Check(&Pass{Project: p, Options: o, rule: rule, level: levels.of(rule.Code), report: r, asked: asked, codes: codes})
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
			d.Fix = nil // the file is not this project's
			r.Diags = append(r.Diags, d)
		}
	}
	var sorted diag.List
	sorted.Add(r.Diags...)
	r.Diags = sorted.Sorted()
	return r
}

// Unignored leaves out the warnings of the compiler that a comment ignores or that are off in the project. A comment
// that was of use here is so for Run.
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

// New makes a diagnostic of the rule that is at work.
func (p *Pass) New(at hcl.Range, format string, args ...any) diag.Diagnostic {
	d := diag.New(p.rule.Code, at, format, args...)
	d.Severity = p.level.severity()
	return d
}

// Tell puts a diagnostic on the report.
func (p *Pass) Tell(d diag.Diagnostic) { p.report.Diags = append(p.report.Diags, d) }

// Steps gives each step of each pipeline, those of finally too.
func (p *Project) Steps(yield func(*model.Pipeline, *model.Step) bool) {
	for _, pl := range p.Pipelines {
		for _, s := range pl.Steps {
			if !yield(pl, s) {
				return
			}
		}
	}
}

// Program is that of a pipeline; nil where it has none of its own.
func (p *Project) Program(pl *model.Pipeline) *program.Program {
	if p.programs == nil {
		p.programs = map[string]*program.Program{}
		for _, prog := range p.Programs {
			p.programs[prog.Pipeline] = prog
		}
	}
	return p.programs[pl.Block.Label]
}

// Clustered says whether a stack of the project is a cluster. Which one is chosen doesn't count: a project is looked at
// the same on every machine.
func (p *Project) Clustered() bool {
	return slices.ContainsFunc(p.Stacks, func(s *program.Stack) bool { return s.Orchestrator.Kind == "kubernetes" })
}

// Clustered is that of the project. It remembers that the rule depends on it.
func (p *Pass) Clustered() bool {
	if p.clustered == nil {
		p.clustered = map[string]bool{}
	}
	p.clustered[p.rule.Code] = true
	return p.Project.Clustered()
}
