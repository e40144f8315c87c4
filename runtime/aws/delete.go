package aws

import (
	"context"

	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// ProtectedError reports that the stack is protected from deletion.
type ProtectedError struct{ Name string }

func (e *ProtectedError) Error() string {
	return "the CloudFormation stack " + e.Name + " is protected from deletion"
}

// Delete deletes the stack and follows that to its end. Without a stack, it does nothing. The end of ctx stops following, and not
// the deletion.
func (e *Environment) Delete(ctx context.Context, observe func(Event)) error {
	stack, err := e.Look(ctx)
	switch {
	case err != nil || stack.Status == "":
		return err
	case stack.Protected:
		return &ProtectedError{e.Name}
	}
	if stack.Status == "DELETE_IN_PROGRESS" {
		return e.follow(ctx, stack.ID, mark{}, observe)
	}
	from, err := e.mark(ctx, stack)
	if err != nil {
		return err
	}
	if _, err := e.API.DeleteStack(ctx, &cfn.DeleteStackInput{StackName: &stack.ID}); err != nil {
		return e.explain(err, "cloudformation:DeleteStack")
	}
	return e.follow(ctx, stack.ID, from, observe)
}
