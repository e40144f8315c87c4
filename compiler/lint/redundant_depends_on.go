package lint

import (
	"bytes"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/program"
)

var redundantDependsOn = &Rule{
	Code: "redundant-depends-on", Level: Warning,
	Summary: "`depends_on` names a step that a reference already waits for.",
	Doc: "The reference to an output is the edge. Repeating it means two places to change, and hides which entries are there only for the order.\n\n" +
		"`--fix` removes the entry.",
	Check: func(p *Pass) {
		for _, pl := range p.Pipelines {
			several := fannedOut(pl)
			for _, s := range pl.Steps {
				redundant(p, s, several)
			}
		}
	},
}

func redundant(p *Pass, s *model.Step, several map[string]bool) {
	e, ok := s.Block.Attr("depends_on").(*hclsyntax.TupleConsExpr)
	if !ok || s.Block.Attr("for_each") != nil {
		return
	}
	for i, item := range e.Exprs {
		name, ok := stepName(item)
		need := s.Needs[name]
		if !ok || need == nil || need.Kind != program.NeedOutput || several[name] {
			continue
		}
		d := p.New(item.Range(), "%s %q already waits for %q, because it reads an output of it", s.Block.Def.Name, s.Name(), name).
			WithRelated(need.At, "the output is read here")
		p.Report(without(p, d, s, e, i))
	}
}

// fannedOut returns the steps with several instances: a reference may wait for one of them, and depends_on waits for all.
func fannedOut(pl *model.Pipeline) map[string]bool {
	out := map[string]bool{}
	for _, s := range pl.Steps {
		if s.Block.Attr("for_each") != nil {
			out[s.Name()] = true
		}
	}
	return out
}

func stepName(e hcl.Expression) (string, bool) {
	t, hclDiags := hcl.AbsTraversalForExpr(e)
	if hclDiags.HasErrors() || len(t) != 2 {
		return "", false
	}
	a, ok := t[1].(hcl.TraverseAttr)
	return a.Name, ok
}

// without returns d with a fix that removes item i from the list, unless that would delete a comment.
func without(p *Pass, d diag.Diagnostic, s *model.Step, list *hclsyntax.TupleConsExpr, i int) diag.Diagnostic {
	at := list.Exprs[i].Range()
	switch last := len(list.Exprs) - 1; {
	case last == 0:
		at = s.Block.Attrs["depends_on"].Range
	case i < last:
		at.End = list.Exprs[i+1].Range().Start
	default:
		at.Start = list.Exprs[i-1].Range().End
	}
	if src := p.Sources[at.Filename]; at.End.Byte > len(src) || bytes.ContainsAny(src[at.Start.Byte:at.End.Byte], "#/") {
		return d
	}
	if len(list.Exprs) == 1 {
		return p.Remove(d, at)
	}
	return d.WithFix(at, "")
}
