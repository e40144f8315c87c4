package aws

import (
	"context"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// changeSet is the name of the change set. Another one of this name was left by an earlier command and is deleted.
const changeSet = "pipec"

// Plan is a change of the stack that is not made yet.
type Plan struct {
	Stack   Stack // as it was when the change was planned
	Changes []Change
	// Protection is set if the termination protection changes: to this value.
	Protection *bool

	environment *Environment
	id          string // of the change set; "": it has no changes
}

// Empty reports whether there is nothing to do.
func (p *Plan) Empty() bool { return len(p.Changes) == 0 && p.id == "" && p.Protection == nil }

// BusyError reports that CloudFormation is working on the stack.
type BusyError struct{ Stack Stack }

func (e *BusyError) Error() string {
	return fmt.Sprintf("CloudFormation is working on the stack: its status is %s", e.Stack.Status)
}

// BrokenError reports that the stack can only be deleted.
type BrokenError struct{ Stack Stack }

func (e *BrokenError) Error() string {
	return fmt.Sprintf("the stack can only be deleted: its status is %s", e.Stack.Status)
}

// Plan asks CloudFormation what a template would change. It fails with a *BusyError or a *BrokenError if the stack can't be
// changed now.
func (e *Environment) Plan(ctx context.Context, template string) (*Plan, error) {
	stack, err := e.Look(ctx)
	switch {
	case err != nil:
		return nil, err
	case stack.Status.Busy():
		return nil, &BusyError{stack}
	case stack.Status.Broken():
		return nil, &BrokenError{stack}
	case stack.Status == "UPDATE_ROLLBACK_FAILED":
		return nil, &Error{
			Text: "the last change of the stack failed, and so did its rollback: " + oneLine(stack.Reason),
			Hint: "Repair what failed, and run: aws cloudformation continue-update-rollback --stack-name " + e.Name,
		}
	case len(template) > MaxTemplate:
		return nil, &Error{
			Text: fmt.Sprintf("the template has %d bytes, and CloudFormation accepts %d", len(template), MaxTemplate),
			Hint: "Reduce the number of namespaces in the recipe, or divide the project: there are two associations for each pipeline and namespace.",
		}
	}
	p := &Plan{Stack: stack, environment: e}
	if stack.Status.Exists() && stack.Protected != e.Protect {
		p.Protection = &e.Protect
	}
	return p, p.create(ctx, template)
}

// create creates the change set, and reads it when it is complete.
func (p *Plan) create(ctx context.Context, template string) error {
	e := p.environment
	if p.Stack.Status != "" {
		_, err := e.API.DeleteChangeSet(ctx, &cfn.DeleteChangeSetInput{StackName: &e.Name, ChangeSetName: sdk.String(changeSet)})
		if err != nil && !missing(err) {
			return e.explain(err, "cloudformation:DeleteChangeSet")
		}
	}
	kind := types.ChangeSetTypeCreate
	if p.Stack.Status.Exists() {
		kind = types.ChangeSetTypeUpdate
	}
	// A bucket and repositories that an earlier stack has left are taken over, by their names.
	out, err := e.API.CreateChangeSet(ctx, &cfn.CreateChangeSetInput{
		StackName: &e.Name, ChangeSetName: sdk.String(changeSet), ChangeSetType: kind, TemplateBody: &template,
		Capabilities: []types.Capability{types.CapabilityCapabilityIam}, ImportExistingResources: sdk.Bool(true), Tags: e.tags(),
	})
	if err != nil {
		return e.explain(err, "cloudformation:CreateChangeSet")
	}
	p.id = sdk.ToString(out.Id)
	for {
		done, err := p.read(ctx)
		if done || err != nil {
			return err
		}
		if err := e.wait(ctx); err != nil {
			return err
		}
	}
}

// read reads the change set. It returns false if the change set isn't complete yet.
func (p *Plan) read(ctx context.Context) (done bool, err error) {
	e := p.environment
	p.Changes = nil
	for token := (*string)(nil); ; {
		out, err := e.API.DescribeChangeSet(ctx, &cfn.DescribeChangeSetInput{
			StackName: &e.Name, ChangeSetName: &p.id, NextToken: token, IncludePropertyValues: sdk.Bool(true),
		})
		switch {
		case passing(err):
			return false, nil
		case err != nil:
			return false, e.explain(err, "cloudformation:DescribeChangeSet")
		case out.Status == types.ChangeSetStatusFailed:
			return true, p.failed(ctx, oneLine(sdk.ToString(out.StatusReason)))
		case out.Status != types.ChangeSetStatusCreateComplete:
			return false, nil
		}
		for _, ch := range out.Changes {
			if ch.ResourceChange != nil {
				p.Changes = append(p.Changes, change(ch.ResourceChange))
			}
		}
		if token = out.NextToken; token == nil {
			sortChanges(p.Changes)
			return true, nil
		}
	}
}

// failed handles a change set that failed: one without changes fails too.
func (p *Plan) failed(ctx context.Context, reason string) error {
	e := p.environment
	if err := p.Discard(ctx); err != nil {
		return err
	}
	p.id = ""
	for _, text := range []string{"didn't contain changes", "No updates are to be performed", "no changes"} {
		if strings.Contains(reason, text) {
			return nil
		}
	}
	return &Error{Text: "CloudFormation rejects the change: " + reason, Hint: "The template is written by: pipec stack recipe --write DIR. The stack is " + e.Name + "."}
}

// Discard deletes the change set of a plan that isn't applied, and the stack if it was only made for the plan.
func (p *Plan) Discard(ctx context.Context) error {
	e := p.environment
	if p.id == "" {
		return nil
	}
	if !p.Stack.Status.Exists() {
		_, err := e.API.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: &e.Name})
		return e.explain(err, "cloudformation:DeleteStack")
	}
	if _, err := e.API.DeleteChangeSet(ctx, &cfn.DeleteChangeSetInput{StackName: &e.Name, ChangeSetName: &p.id}); err != nil && !missing(err) {
		return e.explain(err, "cloudformation:DeleteChangeSet")
	}
	return nil
}

// Apply makes the change and follows it to its end. The end of ctx stops following, and not the change.
func (p *Plan) Apply(ctx context.Context, observe func(Event)) error {
	e := p.environment
	if p.id != "" {
		stack, err := e.Look(ctx)
		if err != nil {
			return err
		}
		from, err := e.mark(ctx, stack)
		if err != nil {
			return err
		}
		if _, err := e.API.ExecuteChangeSet(ctx, &cfn.ExecuteChangeSetInput{StackName: &e.Name, ChangeSetName: &p.id}); err != nil {
			return e.explain(err, "cloudformation:ExecuteChangeSet")
		}
		if err := e.follow(ctx, stack.ID, from, observe); err != nil {
			return err
		}
	}
	return e.protect(ctx)
}

// protect sets the termination protection if it differs.
func (e *Environment) protect(ctx context.Context) error {
	stack, err := e.Look(ctx)
	if err != nil || stack.Protected == e.Protect || !stack.Status.Exists() {
		return err
	}
	_, err = e.API.UpdateTerminationProtection(ctx, &cfn.UpdateTerminationProtectionInput{StackName: &e.Name, EnableTerminationProtection: &e.Protect})
	return e.explain(err, "cloudformation:UpdateTerminationProtection")
}
