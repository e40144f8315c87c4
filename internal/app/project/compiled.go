package project

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/runtime/shell"
	"pipec.dev/pipec/schema/program"
)

// InvalidError says that there are errors in the project's files.
type InvalidError struct{ Errors int }

func (e *InvalidError) Error() string {
	return fmt.Sprintf("the project's files have %d errors", e.Errors)
}

// ManyStacksError says that a stack has to be chosen.
type ManyStacksError struct{ Names []string }

func (e *ManyStacksError) Error() string {
	return "the project declares several stacks (" + strings.Join(e.Names, ", ") + ")"
}

// PendingError says that a stack refers to what its recipe makes, and that the recipe has not been made.
type PendingError struct {
	Stack   string
	Outputs []string
}

func (e *PendingError) Error() string {
	return fmt.Sprintf("stack %q is not up yet: it reads recipe.%s, which %s does not have", e.Stack, strings.Join(e.Outputs, ", recipe."), program.LockFile)
}

// NoPipelineError says that no pipeline has a name, or that there is none at all. Names are those that can be run.
type NoPipelineError struct {
	Name, Nearest string
	Names         []string
}

func (e *NoPipelineError) Error() string {
	switch {
	case e.Name == "":
		return "the project declares no pipeline"
	case e.Nearest != "":
		return fmt.Sprintf("there is no pipeline %q; did you mean %q?", e.Name, e.Nearest)
	}
	const most = 10
	names := e.Names
	if len(names) > most {
		names = append(names[:most:most], "…")
	}
	return fmt.Sprintf("there is no pipeline %q that can be run; there are: %s", e.Name, cmp.Or(strings.Join(names, ", "), "none"))
}

// Compiled is a project that was compiled.
type Compiled struct {
	*compiler.Result
	lockFault error // why the lock, which a recipe of the project needs, can't be read
}

// TheStack returns the chosen stack for a use case that needs what the stack's recipe makes.
func (c *Compiled) TheStack() (*program.Stack, error) {
	s, err := c.ChosenStack()
	if err != nil || len(s.Pending) == 0 {
		return s, err
	}
	if c.lockFault != nil {
		return nil, c.lockFault
	}
	return nil, fault.Userf("%w", &PendingError{Stack: s.Name, Outputs: s.Pending}).WithHint("make it: pipec stack up --stack %s", shell.Word(s.Name))
}

// ChosenStack returns the chosen stack, also if its recipe has not been made yet.
func (c *Compiled) ChosenStack() (*program.Stack, error) {
	if c.Stack != nil {
		return c.Stack, nil
	}
	many := &ManyStacksError{}
	for _, s := range c.Stacks {
		many.Names = append(many.Names, s.Name)
	}
	return nil, fault.Usagef("%w", many).WithHint("choose one with --stack, PIPEC_STACK or `pipec stack use`")
}

// AllStacks are the declared stacks, or the implied one.
func (c *Compiled) AllStacks() []*program.Stack {
	if len(c.Stacks) == 0 && c.Stack != nil {
		return []*program.Stack{c.Stack}
	}
	return c.Stacks
}

// Pipeline returns the pipeline of that name; for "" the only one.
func (c *Compiled) Pipeline(name string) (*program.Program, error) {
	if name != "" {
		if p := c.Program(name); p != nil {
			return p, nil
		}
		return nil, fault.Usagef("%w", &NoPipelineError{Name: name, Nearest: diag.Suggest(name, c.Names()), Names: c.Names()})
	}
	switch len(c.Programs) {
	case 1:
		return c.Programs[0], nil
	case 0:
		return nil, fault.Usagef("%w", &NoPipelineError{})
	}
	return nil, fault.Usagef("the project has several pipelines (%s): name one", strings.Join(c.Names(), ", "))
}

// Pipelines returns the pipelines of these names, each once; all if there are no names.
func (c *Compiled) Pipelines(names []string) ([]*program.Program, error) {
	if len(names) == 0 {
		return c.Programs, nil
	}
	var out []*program.Program
	for _, name := range names {
		p, err := c.Pipeline(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// Names are those of the pipelines, sorted.
func (c *Compiled) Names() []string {
	var names []string
	for _, p := range c.Programs {
		names = append(names, p.Pipeline)
	}
	return names
}
