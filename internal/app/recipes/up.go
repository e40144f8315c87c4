package recipes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	emitaws "pipec.dev/pipec/emit/aws"
	"pipec.dev/pipec/internal/app/fault"
	"pipec.dev/pipec/internal/app/notice"
	"pipec.dev/pipec/runtime/aws"
	"pipec.dev/pipec/runtime/image/lockfile"
	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/program"
)

// Up is what `stack up` would do.
type Up struct {
	Name   string       `json:"name"` // of the CloudFormation stack
	Region string       `json:"region"`
	Stack  string       `json:"stack"`
	Exists bool         `json:"exists"`
	Broken bool         `json:"broken,omitempty"` // an earlier attempt failed: what it left is deleted first
	Status aws.Status   `json:"status,omitempty"` // of the CloudFormation stack
	Change []aws.Change `json:"changes"`
	// Protection is set if the protection from deletion changes: to this value.
	Protection *bool          `json:"deletion_protection,omitempty"`
	Costs      []emitaws.Cost `json:"costs,omitempty"`
	Own        bool           `json:"own_template,omitempty"`

	recipes     *Recipes
	recipe      *recipe
	environment *aws.Environment
	template    string
	plan        *aws.Plan
}

// Empty reports whether there is nothing to do.
func (u *Up) Empty() bool { return !u.Broken && u.plan.Empty() }

// PrepareUp returns what would change. template is the file with a template that replaces the recipe's own, or "". If CloudFormation is
// working on the stack, PrepareUp first follows that to its end.
func (r *Recipes) PrepareUp(ctx context.Context, template string, observe func(aws.Event)) (*Up, error) {
	one, err := r.recipe()
	if err != nil {
		return nil, err
	}
	u := &Up{Name: one.Name, Region: one.Region, Stack: one.stack.Name, Costs: one.Costs(), Own: template != "", recipes: r, recipe: one}
	if u.template, err = one.template(template); err != nil {
		return nil, err
	}
	if u.environment, _, err = one.environment(ctx); err != nil {
		return nil, err
	}
	for {
		u.plan, err = u.environment.Plan(ctx, u.template)
		var busy *aws.BusyError
		if !errors.As(err, &busy) {
			break
		}
		r.Notify(notice.Infof("CloudFormation is working on %s (%s). Following it to its end.", one.Name, busy.Stack.Status))
		var failed *aws.FailedError
		if err := u.environment.Follow(ctx, observe); err != nil && !errors.As(err, &failed) {
			return nil, awsFault(ctx, err)
		} else if failed != nil {
			r.Notify(notice.Warning(failed.Error()))
		}
	}
	var broken *aws.BrokenError
	switch {
	case errors.As(err, &broken):
		u.Broken, u.Exists, u.Status = true, true, broken.Stack.Status
	case err != nil:
		return nil, awsFault(ctx, err)
	default:
		u.Exists, u.Status, u.Change, u.Protection = u.plan.Stack.Status.Exists(), u.plan.Stack.Status, u.plan.Changes, u.plan.Protection
	}
	return u, nil
}

// Discard removes what PrepareUp has made on AWS, if the change isn't made.
func (u *Up) Discard(ctx context.Context) error {
	if u.plan == nil {
		return nil
	}
	return awsFault(ctx, u.plan.Discard(ctx))
}

// Apply makes the change, and stores the outputs in the lock. It returns the outputs. The end of ctx stops following, and not
// CloudFormation.
func (u *Up) Apply(ctx context.Context, observe func(aws.Event)) (map[string]string, error) {
	e := u.environment
	if u.Broken {
		if err := e.Delete(ctx, observe); err != nil {
			return nil, u.failed(ctx, err)
		}
		plan, err := e.Plan(ctx, u.template)
		if err != nil {
			return nil, u.failed(ctx, err)
		}
		u.plan = plan
	}
	if !u.plan.Empty() {
		if err := u.plan.Apply(ctx, observe); err != nil {
			return nil, u.failed(ctx, err)
		}
	}
	stack, err := e.Look(ctx)
	if err != nil {
		return nil, awsFault(ctx, err)
	}
	outputs, err := u.outputs(stack.Outputs)
	if err != nil {
		return nil, err
	}
	_, _, err = lockfile.Update(ctx, u.recipes.Dir(), func(l *program.Lock) {
		if l.Recipes == nil {
			l.Recipes = map[string]program.LockedRecipe{}
		}
		l.Recipes[u.Stack] = program.LockedRecipe{Outputs: outputs, Accounts: u.recipe.Accounts}
	})
	return outputs, fault.Env(err)
}

// failed returns the fault of an operation of CloudFormation.
func (u *Up) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &fault.Fault{
			Kind: fault.Interrupted, Err: err, Message: "Interrupted. CloudFormation continues to work on " + u.Name + ".",
			Hint: "The same command follows it again. The stack can be removed with pipec stack down.",
		}
	}
	var failed *aws.FailedError
	if errors.As(err, &failed) {
		return &fault.Fault{Kind: fault.Environment, Message: failed.Error(), Err: err, Hint: "Repair the cause, and run the same command again."}
	}
	return awsFault(ctx, err)
}

// outputs returns the values of recipe.NAME from the outputs of the template, all of which it must have.
func (u *Up) outputs(given map[string]string) (map[string]string, error) {
	row := u.recipes.Tables().Kinds.Recipe(u.recipe.Kind)
	out := map[string]string{}
	var missing []string
	for _, o := range row.Outputs {
		value, ok := given[emitaws.OutputName(o.Name)]
		if ok && value != "" {
			out[o.Name] = value
			continue
		}
		if has, _ := row.Has(u.recipe.Recipe.Recipe, o.Name); has && reads(u.recipe.stack, o.Name) {
			missing = append(missing, emitaws.OutputName(o.Name))
		}
	}
	if len(missing) > 0 {
		return nil, fault.Userf("the template lacks outputs that the stack reads: %s", strings.Join(missing, ", "))
	}
	return out, nil
}

// reads reports whether a stack reads an output that is not known yet.
func reads(s *program.Stack, output string) bool { return slices.Contains(s.Pending, output) }

// compact returns JSON without white space: CloudFormation limits the size of templates.
func compact(data []byte) string {
	var out bytes.Buffer
	if json.Compact(&out, data) != nil {
		return string(data)
	}
	return out.String()
}

// Summary counts the changes.
func (u *Up) Summary() string {
	count := func(actions ...aws.Action) (n int) {
		for _, c := range u.Change {
			if slices.Contains(actions, c.Action) {
				n++
			}
		}
		return n
	}
	text := fmt.Sprintf("%d to add, %d to modify, %d to replace, %d to remove", count(aws.Add), count(aws.Modify), count(aws.Replace), count(aws.Remove))
	if n := count(aws.Import); n > 0 {
		text += fmt.Sprintf(", %d to take over", n)
	}
	return text
}

// Makes reports whether the recipe makes a cluster.
func (u *Up) Makes() bool { return u.recipe.Creates(kinds.RecipeCluster) }
