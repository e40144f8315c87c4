package evaluate

import (
	"maps"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
)

// With adds references whose values are known until the returned function is called: by root, such as param, and by name.
func (s *Scope) With(root string, values map[string]cty.Value) (done func()) {
	before := s.more
	s.more = maps.Clone(before)
	if s.more == nil {
		s.more = map[string]map[string]cty.Value{}
	}
	s.more[root] = values
	return func() { s.more = before }
}

// without removes what With has added, until the returned function is called.
func (s *Scope) without() (done func()) {
	before := s.more
	s.more = nil
	return func() { s.more = before }
}

// moreType returns the type of a reference that With has added.
func (s *Scope) moreType(t hcl.Traversal, values map[string]cty.Value) (typ cty.Type, taken int, mine bool) {
	root := t.RootName()
	name, ok := second(t)
	if v, known := values[name]; ok && known {
		return v.Type(), 2, true
	}
	d := diag.New("unknown-reference", t.SourceRange(), "%s needs a name: %s.NAME", root, root)
	if ok {
		d = diag.New("unknown-reference", t.SourceRange(), "there is no %s %q", root, name)
	}
	s.diags.Add(s.Near(d, root+".", name, func() []string { return Names(values) }))
	return cty.NilType, 0, true
}
