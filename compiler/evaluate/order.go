package evaluate

import (
	"github.com/hashicorp/hcl/v2"
)

// order lists the names that n reads, directly or indirectly; each follows those that it reads itself. Names in a cycle are
// in any order. It doesn't recurse, because a chain of names may be long.
func (s *Values) order(n *Name) []*Name {
	type frame struct {
		name  *Name
		reads []*Name
	}
	var out []*Name
	n.ordered = true
	frames := []frame{{n, s.dependencies(n)}}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if len(f.reads) == 0 {
			out = append(out, f.name)
			frames = frames[:len(frames)-1]
			continue
		}
		next := f.reads[0]
		f.reads = f.reads[1:]
		if next.state == untouched && !next.ordered {
			next.ordered = true
			frames = append(frames, frame{next, s.dependencies(next)})
		}
	}
	return out[:len(out)-1]
}

// dependencies returns the names in the expressions of a variable or a local.
func (s *Values) dependencies(n *Name) []*Name {
	if n.expr != nil {
		return s.reads(n.expr)
	}
	var out []*Name
	for _, e := range []hcl.Expression{n.block.Attr("default"), n.block.Attr("sensitive")} {
		out = append(out, s.reads(e)...)
	}
	for _, rule := range n.block.All("validation") {
		for _, e := range []hcl.Expression{rule.Attr("condition"), rule.Attr("error_message")} {
			out = append(out, s.reads(e)...)
		}
	}
	return out
}

// reads returns the variables and locals that an expression refers to.
func (s *Values) reads(e hcl.Expression) []*Name {
	if e == nil {
		return nil
	}
	var out []*Name
	for _, t := range e.Variables() {
		name, ok := second(t)
		if !ok {
			continue
		}
		switch t.RootName() {
		case "var":
			if n := s.Variables[name]; n != nil {
				out = append(out, n)
			}
		case "local":
			if n := s.Locals[name]; n != nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// Varies reports whether the value of an expression depends on a variable, directly or through locals. It may differ then
// if other values are given.
func (s *Values) Varies(e hcl.Expression) bool {
	seen := map[*Name]bool{}
	for todo := s.reads(e); len(todo) > 0; {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch {
		case n.block != nil:
			return true
		case !seen[n]:
			seen[n] = true
			todo = append(todo, s.reads(n.expr)...)
		}
	}
	return false
}

// Mention marks what an expression reads as used. It is for expressions that are never evaluated.
func (s *Values) Mention(e hcl.Expression) {
	for _, n := range s.reads(e) {
		n.Used = true
	}
}
