// Package recipes has the use cases about the recipe of a stack: writing it as files, making or changing what it describes, and
// removing that. It asks for no consent and prints nothing: it returns what would change, and a second call makes the change.
package recipes

import (
	"context"
	"errors"
	"os"

	emitaws "pipec.dev/pipec/emit/aws"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/project"
	"pipec.dev/pipec/runtime/aws"
	"pipec.dev/pipec/schema/program"
)

// Recipes are those of a project. Errors of its methods are faults.
type Recipes struct{ *project.Project }

// recipe is the recipe of the chosen stack.
type recipe struct {
	*emitaws.Recipe
	stack *program.Stack
}

// recipe compiles the project and returns the recipe of the chosen stack.
func (r *Recipes) recipe() (*recipe, error) {
	c, err := r.Checked()
	if err != nil {
		return nil, err
	}
	stack, err := c.ChosenStack()
	if err != nil {
		return nil, err
	}
	if stack.Recipe == nil {
		return nil, fault.Usagef("stack %q has no recipe", stack.Name).WithHint("write recipe \"aws\" { region = \"…\" } in the stack")
	}
	programs := append(append([]*program.Program{}, c.Programs...), c.Called...)
	return &recipe{stack: stack, Recipe: &emitaws.Recipe{
		Recipe: stack.Recipe, Project: c.Project, Stack: stack.Name, Namespace: stack.Orchestrator.Namespace, Accounts: emitaws.AccountsOf(programs, stack),
	}}, nil
}

// File is a file of a recipe.
type File struct {
	Name string
	Data []byte
}

// Files returns the recipe of the chosen stack as files: a CloudFormation template and a Terraform module. It makes no requests.
func (r *Recipes) Files() ([]File, error) {
	one, err := r.recipe()
	if err != nil {
		return nil, err
	}
	template, err := one.Template()
	if err != nil {
		return nil, fault.Env(err)
	}
	module, err := one.Module()
	if err != nil {
		return nil, fault.Env(err)
	}
	return []File{{"template.json", template}, {"main.tf", module}}, nil
}

// environment returns the CloudFormation stack of a recipe, and the clients.
func (r *recipe) environment(ctx context.Context) (*aws.Environment, *aws.Clients, error) {
	clients, err := aws.Open(ctx, r.Region)
	if err != nil {
		return nil, nil, fault.Env(err)
	}
	tags := map[string]string{emitaws.TagProject: r.Project, emitaws.TagStack: r.Stack}
	for key, value := range r.Tags {
		tags[key] = value
	}
	return &aws.Environment{API: clients, Name: r.Name, Region: r.Region, Tags: tags, Protect: r.DeletionProtection}, clients, nil
}

// template returns the template of the recipe, or that of a file.
func (r *recipe) template(file string) (string, error) {
	if file == "" {
		data, err := r.Template()
		return compact(data), fault.Env(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return "", fault.Usagef("the template can't be read: %w", err)
	}
	return string(data), nil
}

// awsFault makes an error of a request a fault.
func awsFault(ctx context.Context, err error) error {
	var failed *aws.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fault.Interruption(ctx, err)
	case errors.As(err, &failed):
		return &fault.Fault{Kind: fault.Environment, Message: failed.Text, Hint: failed.Hint, Err: err}
	}
	return fault.Env(err)
}
