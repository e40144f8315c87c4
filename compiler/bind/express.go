package bind

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// Express reports the parts of pipelines, and of the pipelines that they call, that the orchestrator of the stack can't
// express, in diags. Most orchestrators lack nothing, and then nothing is looked at.
func Express(project *model.Project, stack *program.Stack, set *kinds.Set, diags *diag.List) {
	row := set.Orchestrator(stack.Orchestrator.Kind)
	if row == nil || len(row.Lacks) == 0 {
		return
	}
	e := expresser{project: project.Evaluated, stack: stack, lacks: row.Lacks, diags: diags}
	seen := map[*model.Pipeline]bool{}
	for todo := project.Pipelines; len(todo) > 0; todo = todo[1:] {
		p := todo[0]
		if !seen[p] {
			seen[p] = true
			e.block(p.Block, "")
			todo = append(todo[:len(todo):len(todo)], p.Calls...)
		}
	}
}

type expresser struct {
	project *evaluate.Project
	stack   *program.Stack
	lacks   []kinds.Lack
	diags   *diag.List
}

// block looks at what is in a block. prefix is the block's own feature with a dot behind it, "" for a pipeline.
func (e *expresser) block(b *decode.Block, prefix string) {
	for _, a := range b.Sorted() {
		if l := e.lacking(prefix + a.Name); l != nil && !e.isDefault(b, a) {
			e.report(a.NameRange, a.Name, l)
		}
	}
	for _, n := range b.Blocks {
		if l := e.lacking(prefix + n.Def.Name); l != nil {
			e.report(n.DefRange, n.Def.Name, l)
			continue
		}
		e.block(n, prefix+n.Def.Name+".")
	}
}

func (e *expresser) lacking(feature string) *kinds.Lack {
	for i := range e.lacks {
		if e.lacks[i].Feature == feature {
			return &e.lacks[i]
		}
	}
	return nil
}

// isDefault reports whether an attribute is written with the default value that the table documents.
func (e *expresser) isDefault(b *decode.Block, a *hcl.Attribute) bool {
	def := b.Def.Attribute(a.Name)
	if def == nil || def.Default == "" {
		return false
	}
	v, hclDiags := a.Expr.Value(nil)
	if hclDiags.HasErrors() || v.IsNull() || !v.IsKnown() {
		return false
	}
	return literal(v) == strings.Trim(def.Default, `"`)
}

func (e *expresser) report(at hcl.Range, name string, l *kinds.Lack) {
	d := diag.New("not-supported", at, "stack %q runs on %s, which does not support `%s`", e.stack.Name, e.stack.Orchestrator.Kind, name)
	if l.Why != "" {
		d = d.WithDetail("%s", l.Why)
	}
	if s := e.project.Stacks[e.stack.Name]; s != nil {
		if o := s.One("orchestrator"); o != nil {
			d = d.WithRelated(o.DefRange, "the orchestrator is declared here")
		}
	}
	e.diags.Add(d)
}

// literal is a string, a number or a bool as text, "" for other values.
func literal(v cty.Value) string {
	text, err := convert.Convert(v, cty.String)
	if err != nil || text.IsNull() {
		return ""
	}
	return text.AsString()
}
