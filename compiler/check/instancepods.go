package check

import (
	"encoding/json"

	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/expr"
	"pipec.dev/pipec/schema/program"
)

// maxVariants bounds how many different pods the instances of a step have: each stands in the program.
const maxVariants = 1000

// pods checks what is said of the step's pod. Where that reads each of a for_each that is known when compiling, it is
// checked for each instance, which may have a pod of its own.
func (c *checker) pods(p *Pipeline, s *Step) {
	at, reads := readsEach(s.Block)
	switch {
	case !reads || s.ForEach == nil:
		c.podOf(p, s)
	case s.ForEach.Value == nil: // it is faulty, and that is told
	case s.Callee != nil || s.Block.Attr("pipeline") != nil:
		defer c.world.For(sameForAll(s))()
		c.podOf(p, s)
	case !s.ForEach.Known:
		defer c.world.For(&evaluate.Each{Why: func(at hcl.Range, text string) diag.Diagnostic {
			return diag.New("not-constant", at, "%s is known only at run time here, and pods are made when compiling", text).
				WithRelated(s.Block.Attr("for_each").Range(), "for_each waits for run time").
				WithSuggestion("let for_each go over what var, local and functions give; or read %s in an input, in command or in env", text)
		}})()
		c.podOf(p, s)
	default:
		c.podPerInstance(p, s, at)
	}
}

// podPerInstance checks the pod of each instance, up to the first fault: the others have the same.
func (c *checker) podPerInstance(p *Pipeline, s *Step, at hcl.Range) {
	if len(s.ForEach.Keys) == 0 {
		c.mentions(s.Block)
		return
	}
	whole := s.Program
	known, byKey := map[string]int{}, map[string]int{}
	var variants []program.Variant
	mounts := map[string]int{} // by the claim, how many instances mount it
	seen := map[claim]bool{}
	var order []claim
	t := s.ForEach.Value.Const.Type()
	for it := s.ForEach.Value.Const.ElementIterator(); it.Next(); {
		key, value := it.Element()
		if t.IsSetType() {
			key = value
		}
		one := s.Program
		s.Program, s.claims = whole, nil
		before := c.diags.Len()
		done := c.world.For(&evaluate.Each{Key: key, Value: value})
		c.podOf(p, s)
		done()
		if c.diags.Len() > before {
			return
		}
		own := map[string]bool{}
		for _, cl := range s.claims {
			if !own[cl.name] {
				own[cl.name] = true
				mounts[cl.name]++
			}
			if !seen[cl] {
				seen[cl] = true
				order = append(order, cl)
			}
		}
		v := program.VariantOf(&s.Program)
		text, err := json.Marshal(&v)
		if err != nil { // checked values only
			c.diags.Add(diag.New("evaluation", at, "the pod of %s can't be written: %v", describe(s.Block), err))
			return
		}
		i, there := known[string(text)]
		if !there {
			i = len(variants)
			known[string(text)] = i
			variants = append(variants, v)
		}
		byKey[expr.Key(key)] = i
		if len(byKey) > 1 {
			s.Program = one // that of the first
		}
	}
	s.claims = nil
	for _, cl := range order {
		cl.instances = mounts[cl.name]
		s.claims = append(s.claims, cl)
	}
	if len(variants) > maxVariants {
		c.diags.Add(diag.New("too-large", at, "the instances of %s have %d different pods, and the limit is %d", describe(s.Block), len(variants), maxVariants).
			WithSuggestion("read each in inputs, command or env where that does; such values are no part of a pod"))
		return
	}
	if len(variants) > 1 {
		s.Program.Variants, s.Program.Variant = variants, byKey
	}
}

// mentions notes what is read by what is said of the pod, of a step that never has one.
func (c *checker) mentions(b *decode.Block) {
	for _, a := range b.Sorted() {
		if def := b.Def.Attribute(a.Name); def == nil || !def.Each {
			continue
		}
		if c.world.Mention(a.Expr); a.Name == "image" {
			if t, hclDiags := hcl.AbsTraversalForExpr(a.Expr); !hclDiags.HasErrors() && t.RootName() == "image" {
				c.imageRef(b)
			}
		}
	}
	for _, n := range b.Blocks {
		c.mentions(n)
	}
}

// readsEach says whether what is said of a pod reads each, and where.
func readsEach(b *decode.Block) (hcl.Range, bool) {
	for _, a := range b.Sorted() {
		if def := b.Def.Attribute(a.Name); def == nil || !def.Each {
			continue
		}
		for _, t := range a.Expr.Variables() {
			if t.RootName() == "each" {
				return t.SourceRange(), true
			}
		}
	}
	for _, n := range b.Blocks {
		if at, reads := readsEach(n); reads {
			return at, true
		}
	}
	return hcl.Range{}, false
}

// sameForAll says why each can't be read in what is the same for all instances; nil in a step without for_each.
func sameForAll(s *Step) *evaluate.Each {
	e := s.Block.Attr("for_each")
	if e == nil {
		return nil
	}
	return &evaluate.Each{Why: func(at hcl.Range, text string) diag.Diagnostic {
		return diag.New("out-of-place", at, "%s can't be used here: this is the same for all instances", text).
			WithDetail("What can be another for each instance is what the step reads (inputs, command, env, when) and, where for_each is known when compiling, what is said of its pod.")
	}}
}
