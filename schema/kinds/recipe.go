package kinds

import "pipec.dev/pipec/schema/program"

// Recipe is a kind of recipe: what `pipec stack up` makes for a stack in a cloud.
type Recipe struct {
	Kind string
	// Doc is what it makes, for the language's reference, as a sentence.
	Doc string
	// Attributes are those of its block. Kinds may share one: those of the same name must be equal.
	Attributes []Attribute
	// Outputs are what the other blocks of the stack may read of it, as recipe.NAME.
	Outputs []Output
	// Read checks the values of the attributes and stores them. The kind is set already.
	Read func(Values, *program.Recipe) []Fault
	// Has reports whether a recipe makes or names an output, and returns what to write otherwise.
	Has func(r *program.Recipe, output string) (ok bool, suggestion string)
	// Complete fills in what follows from the project and from the other blocks of the stack, and checks that they fit together.
	// reads reports whether a block of the stack reads an output.
	Complete func(project string, s *program.Stack, reads func(block, output string) bool) []Fault
}

// Output is a value of a recipe that is known when the recipe has been made.
type Output struct {
	Name string
	Doc  string // what it is, for the language's reference: "the name of the bucket"
	// Stand is the text that takes its place in checks before it is known. It has the form of the value.
	Stand string
}

// Output returns the output of this name, or nil.
func (r *Recipe) Output(name string) *Output {
	for i := range r.Outputs {
		if r.Outputs[i].Name == name {
			return &r.Outputs[i]
		}
	}
	return nil
}
