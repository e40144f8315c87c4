package yaml

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/language"
)

// Tree is a source as the table sees it, in the order of the file.
type Tree struct {
	Root    *Body
	places  *places
	told    []diag.Diagnostic
	scalars []span // all scalars of the file
}

// Faults returns the values in a form that their name can't have.
func (t *Tree) Faults() []diag.Diagnostic { return t.told }

// Body is the content of a block.
type Body struct {
	Def        *language.Block
	Items      []*Item
	Start, End int // offsets in the file

	label string
	tried []string
}

// Item is an attribute or a block. Exactly one of Value and Body is set.
type Item struct {
	Name       string
	Attribute  *language.Attribute // nil: a block, a name that the user chose, or one that is not in the table
	Value      *Value
	Body       *Body
	Label      string
	Start, End int // of the whole item, from its label if it has one
	TypeStart  int // the start of its name: for blocks with labels, the name of the type, above all of them

	name, label span
}

type span struct{ start, end int }

// Kind is the kind of a value.
type Kind int

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Number
	Template // text with ${…}
	Bare     // the text of a reference or a type
	List
	Map
)

// Value is the value of a name.
type Value struct {
	Kind       Kind
	Text       string     // for all kinds except lists and maps
	Number     cty.Value  // of a number
	Want       cty.Type   // the expected type; cty.DynamicPseudoType: any
	Elements   []*Value   // of a list, and the values of a map
	Keys       []*Value   // of a map: templates
	Start, End int        // offsets in the file
	Style      ScalarForm // how text was written

	scalar         *scalar
	pipeline, step string
	kind           language.Kind
}

// ScalarForm is how a scalar is written.
type ScalarForm int

// The forms.
const (
	Plain ScalarForm = iota
	Quoted
	Block
)

func (p *places) span(s span) hcl.Range { return p.at(s.start, s.end) }
