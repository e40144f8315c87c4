// Package python reads what a Python module declares at its top level: its functions with their parameters, and the other
// names. It reads the text alone, so that no Python is needed and no code of the user is run.
//
// It is not a parser of Python: it knows strings, brackets, indentation and the headers of functions, and skips all else.
// Where the text leaves open what a name is (a decorator, exec, a star import), the answer is that it isn't known.
package python

import (
	"errors"
	"slices"
)

// MaxFile is the size above which a file is not read.
const MaxFile = 4 << 20

// Module is what a module declares.
type Module struct {
	functions map[string][]*Function
	classes   map[string]*class
	imported  map[string]bool // names that imports bind
	bound     map[string]bool // names that statements bind: classes, imports, variables
	mentioned map[string]bool // all names in statements outside of functions and classes
	open      bool            // names may be bound in ways that the text doesn't show
}

// Position is a place in the text.
type Position struct {
	Line, Column int // from 1; columns are in bytes
	Byte         int
}

// Name is a name and its place.
type Name struct {
	Text       string
	Start, End Position
}

// Kind is how an argument reaches a parameter.
type Kind int

// The kinds.
const (
	Normal         Kind = iota // by position or by name
	PositionalOnly             // before /
	KeywordOnly                // after *
	Rest                       // **rest
)

// Param is a parameter. *args is left out: no argument that is passed by name reaches it.
type Param struct {
	Name
	Kind       Kind
	Default    bool        // it has a default value
	Annotation *Annotation // nil if it has none
}

// Function is a function at the top level of a module.
type Function struct {
	Name
	Params    []Param
	Decorated bool // a decorator may change its parameters and its result
	Async     bool
	Generator bool        // it contains yield
	Returns   []Return    // the return statements with a value
	Result    *Annotation // of its result; nil if it has none
	Exits     bool        // it may end without returning: it ends the process, ends in raise, or has an endless loop
}

// Return is a return statement with a value.
type Return struct {
	Start, End Position
	Count      int // how many values it returns: the length of a tuple that is written out; 0: that isn't known
}

// Errors of Read.
var (
	ErrTooLarge = errors.New("the file is too large to be checked")
	ErrText     = errors.New("the text of the module can't be read")
)

// Read reads a module. The error is ErrTooLarge or ErrText: Python itself may know more.
func Read(src []byte) (*Module, error) {
	if len(src) > MaxFile {
		return nil, ErrTooLarge
	}
	lines, err := scan(src)
	if err != nil {
		return nil, err
	}
	r := reader{src: withoutMark(src), lines: lines, module: &Module{
		functions: map[string][]*Function{}, classes: map[string]*class{}, imported: map[string]bool{}, bound: map[string]bool{}, mentioned: map[string]bool{},
	}}
	r.read()
	return r.module, nil
}

// Function returns the function with a name. known is false if the text doesn't show whether the name is a function, or
// what its parameters are.
func (m *Module) Function(name string) (f *Function, known bool) {
	all := m.functions[name]
	switch {
	case len(all) == 1 && !m.bound[name]:
		return all[0], true
	case len(all) > 0 || m.bound[name] || m.mentioned[name] || m.open:
		return nil, false
	}
	return nil, true
}

// Functions returns the names of all functions, sorted.
func (m *Module) Functions() []string {
	var out []string
	for name := range m.functions {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
