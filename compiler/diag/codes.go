package diag

import (
	"cmp"
	"slices"
)

// Code is a kind of diagnostic. Its name is stable, because users search for it and use it to ignore diagnostics.
type Code struct {
	Name     string
	Severity Severity
	Doc      string // one sentence
}

// Codes are all codes, sorted by name. A name is never reused with another meaning.
var Codes = []Code{
	{"ambiguous-name", Error, "Two names become the same name where they are used, such as the environment variables of two inputs."},
	{"artifact-in-string", Error, "An artifact is used where text is expected, instead of its path."},
	{"bare-reference", Warning, "Text in a YAML file is the address of a declaration, without ${…}."},
	{"claim-at-once", Error, "Steps that can run at once mount the same claim, which allows one pod or one node at a time."},
	{"cycle", Error, "Steps, locals, variables, pipelines or concurrency groups depend on each other in a cycle."},
	{"duplicate", Error, "A name, attribute, block or key is declared twice where one is allowed."},
	{"empty-project", Error, "The directory contains no source file of pipec."},
	{"encoding", Error, "A file is not UTF-8 text."},
	{"evaluation", Error, "An expression whose value must be known when compiling can't be evaluated."},
	{"file-access", Error, "A file function names a file that is outside the project, missing or unreadable."},
	{"for-expression", Error, "A for expression, a splat or a for_each is used where it has no meaning."},
	{"function-call", Error, "A function is called with the wrong number or kind of arguments."},
	{"internal", Error, "The compiler itself failed while it read the project, which is a fault of pipec."},
	{"interpolation-for-shell", Error, "A ${ or %{ meant for the shell is read as pipec's own."},
	{"invalid-duration", Error, "A duration is malformed or negative."},
	{"invalid-name", Error, "A label or a name breaks the rule for names."},
	{"invalid-quantity", Error, "A Kubernetes quantity, such as cpu or memory, is malformed."},
	{"invalid-schedule", Error, "A cron expression or a time zone is malformed."},
	{"invalid-type", Error, "A type is malformed, or is not part of the language."},
	{"invalid-value", Error, "A value is not allowed for its attribute."},
	{"missing", Error, "A required attribute, block, label or input is missing."},
	{"missing-newline", Error, "Two attributes or blocks are on one line."},
	{"missing-variable", Error, "A variable without a default has no value."},
	{"name-minus", Error, "A name joined to a number or name by a dash is read as one name."},
	{"no-stack", Error, "No stack is chosen, or the chosen stack does not exist."},
	{"not-constant", Error, "A value that is known only at run time is used where it must be known when compiling."},
	{"not-restricted", Error, "A step's pod leaves Pod Security `restricted`, and no security block declares it."},
	{"not-supported", Error, "This part of the language does not work yet."},
	{"null-value", Error, "Null is used where a value is required."},
	{"out-of-place", Error, "A reference, block or attribute is used where it has no meaning."},
	{"python-function", Error, "A step's Python function doesn't exist, or doesn't fit the inputs and outputs of the step."},
	{"sensitive", Error, "A sensitive variable would be written into the program."},
	{"skipped-reference", Error, "A step needs the outputs of a step that may be skipped, and has no default for them."},
	{"syntax", Error, "The text can't be read as HCL or YAML."},
	{"test-failed", Error, "An assertion of a test is false, or the run of the test has no end."},
	{"too-large", Error, "A file, an expression or a value is beyond a limit."},
	{"type-mismatch", Error, "A value or an output doesn't have the expected type."},
	{"unclosed", Error, "A bracket, string, template, comment or heredoc is never closed."},
	{"unknown-attribute", Error, "A block or an object has no attribute of this name."},
	{"unknown-block", Error, "There is no block of this type here."},
	{"unknown-function", Error, "There is no function of this name."},
	{"unknown-reference", Error, "A reference names something that is not declared."},
	{"unknown-variable-value", Error, "A value is given for a variable that is not declared."},
	{"unused", Warning, "A declaration is never used."},
	{"validation", Error, "A variable's value fails the variable's own validation."},
}

// Lookup finds a code by name.
func Lookup(name string) (Code, bool) {
	i, ok := slices.BinarySearchFunc(Codes, name, func(c Code, name string) int { return cmp.Compare(c.Name, name) })
	if !ok {
		return Code{}, false
	}
	return Codes[i], true
}
