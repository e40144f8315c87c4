package evaluate

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/types"
)

// Values holds the variables and the locals. Each is evaluated when it is needed, once, after the names that it reads.
type Values struct {
	Variables map[string]*Name
	Locals    map[string]*Name

	variables *variables
	constants *Constants
	scope     *Scope
	stack     []*Name // being evaluated, outermost first
	diags     *diag.List
}

// Name is a variable or a local.
type Name struct {
	Address   string // var.x, local.x
	Range     hcl.Range
	Sensitive bool
	Used      bool

	block   *decode.Block  // of a variable
	expr    hcl.Expression // of a local
	state   state
	ordered bool // is in the order of some name

	defaults *types.Defaults // in the type of a variable

	constant // its value is cty.NilVal if it is faulty
}

type state int

const (
	untouched state = iota
	visiting
	done
)

// of returns the names behind a root: "var" or "local".
func (s *Values) of(root string) map[string]*Name {
	if root == "local" {
		return s.Locals
	}
	return s.Variables
}

func (s *Values) declare(names map[string]*Name, n *Name, label string) {
	if first, twice := names[label]; twice {
		s.diags.Add(diag.New("duplicate", n.Range, "%s is declared twice", n.Address).
			WithRelated(first.Range, "the first declaration is here"))
		return
	}
	names[label] = n
}

// Named returns the value of "var.x" or "local.x", with the texts that its numbers carry.
func (s *Values) Named(ref string) (cty.Value, bool) {
	root, name, _ := strings.Cut(ref, ".")
	return s.named(root, name)
}

// named returns the value of var.x or local.x. It returns false if the name is not declared, or is faulty.
func (s *Values) named(root, name string) (cty.Value, bool) {
	n, ok := s.name(root, name)
	if !ok {
		return cty.NilVal, false
	}
	return n.value, true
}

// name returns the evaluated name behind a root. It returns false if the name is not declared, or is faulty.
func (s *Values) name(root, name string) (*Name, bool) {
	n, ok := s.of(root)[name]
	if !ok {
		return nil, false
	}
	n.Used = true
	s.visit(n)
	return n, n.value != cty.NilVal
}

// visit evaluates a name, once, after the names that it reads.
func (s *Values) visit(n *Name) {
	if n.state == untouched {
		for _, before := range s.order(n) {
			s.evaluate(before)
		}
	}
	s.evaluate(n)
}

func (s *Values) evaluate(n *Name) {
	switch n.state {
	case done:
		return
	case visiting:
		s.ring(n)
		return
	}
	if len(s.stack) >= maxRing {
		s.diags.Add(diag.New("too-large", n.Range, "a cycle of more than %d variables and locals that read each other", maxRing))
		n.state = done
		return
	}
	n.state = visiting
	s.stack = append(s.stack, n)
	defer s.scope.For(nil)()        // a name has the same value for every instance
	defer s.scope.WithRecipe(nil)() // and for every stack
	defer s.scope.without()()       // and for all values of params
	var v cty.Value
	if n.block != nil {
		v = s.variables.value(n)
	} else if got, ok := s.constants.Written(n.expr); ok {
		v = got
	}
	s.stack = s.stack[:len(s.stack)-1]
	if n.state == visiting { // in a cycle, it may have become faulty already
		n.constant = newConstant(v)
	}
	n.state = done
}

// All evaluates every variable and local, so that faults in unused ones are reported too.
func (s *Values) All() {
	for _, names := range []map[string]*Name{s.Variables, s.Locals} {
		for _, key := range Names(names) {
			s.visit(names[key])
		}
	}
}

// unused reports the variables and locals that nothing reads.
func (s *Values) unused() {
	for _, names := range []map[string]*Name{s.Variables, s.Locals} {
		for _, key := range Names(names) {
			if n := names[key]; !n.Used {
				s.diags.Add(diag.New("unused", n.Range, "%s is never used", n.Address))
			}
		}
	}
}
