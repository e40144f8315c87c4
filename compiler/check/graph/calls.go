package graph

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
)

// CallOrder returns the pipelines of a project in an order in which each follows the pipelines of the project that it calls.
// It reports rings of calls. References to pipelines that do not exist are ignored; they are reported where the calls are
// checked.
func CallOrder(project *evaluate.Project) []*decode.Block {
	o := callOrder{project: project, entered: map[*decode.Block]bool{}}
	for _, name := range evaluate.Names(project.Pipelines) {
		o.visit(project.Pipelines[name])
	}
	return o.order
}

// callOrder is a depth-first traversal of the calls of a project.
type callOrder struct {
	project *evaluate.Project
	entered map[*decode.Block]bool
	path    []caller // the pipelines that are being visited, outermost first
	order   []*decode.Block
}

// caller is a pipeline on the path, and its call that is being followed.
type caller struct {
	block *decode.Block
	call  hcl.Range
}

func (o *callOrder) visit(b *decode.Block) {
	if o.entered[b] {
		return
	}
	o.entered[b] = true
	o.path = append(o.path, caller{block: b})
	seen := map[string]bool{}
	for _, s := range b.Blocks {
		if s.Def.Name != "step" && s.Def.Name != "finally" || seen[s.Label] {
			continue
		}
		seen[s.Label] = true
		e := s.Attr("pipeline")
		if e == nil {
			continue
		}
		name, ok := attribute.Reference(e, "pipeline")
		callee := o.project.Pipelines[name]
		if !ok || callee == nil {
			continue
		}
		o.path[len(o.path)-1].call = e.Range()
		if i := o.onPath(callee); i >= 0 {
			o.ring(o.path[i:])
		} else {
			o.visit(callee)
		}
	}
	o.path = o.path[:len(o.path)-1]
	o.order = append(o.order, b)
}

func (o *callOrder) onPath(b *decode.Block) int {
	for i := range o.path {
		if o.path[i].block == b {
			return i
		}
	}
	return -1
}

// ring reports pipelines that call each other, starting with the one that is first in the source.
func (o *callOrder) ring(ring []caller) {
	first := 0
	for i := range ring {
		if diag.Before(ring[i].block.LabelRange, ring[first].block.LabelRange) {
			first = i
		}
	}
	var names []string
	d := diag.New("cycle", ring[first].call, "")
	for i := range ring {
		one := ring[(first+i)%len(ring)]
		names = append(names, one.block.Label)
		if i > 0 {
			d = d.WithRelated(one.call, "%s calls %s", one.block.Label, ring[(first+i+1)%len(ring)].block.Label)
		}
	}
	d.Summary = "pipelines call each other in a cycle: " + strings.Join(append(names, names[0]), " → ")
	if len(ring) == 1 {
		d.Summary = "pipeline " + names[0] + " calls itself"
	}
	o.project.Diags.Add(d)
}
