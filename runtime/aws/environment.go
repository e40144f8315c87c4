// Package aws makes, changes and removes what a recipe of kind "aws" describes: one CloudFormation stack. CloudFormation keeps the
// state, so there is no state file, and an operation that was interrupted continues on AWS and can be followed again.
//
// The package applies templates and doesn't write them: that is the task of emit/aws. It asks no questions. An Environment is not
// safe for concurrent use.
package aws

import (
	"context"
	"errors"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/smithy-go"
)

// API is the part of CloudFormation that is used. *cloudformation.Client implements it.
type API interface {
	DescribeStacks(context.Context, *cfn.DescribeStacksInput, ...func(*cfn.Options)) (*cfn.DescribeStacksOutput, error)
	CreateChangeSet(context.Context, *cfn.CreateChangeSetInput, ...func(*cfn.Options)) (*cfn.CreateChangeSetOutput, error)
	DescribeChangeSet(context.Context, *cfn.DescribeChangeSetInput, ...func(*cfn.Options)) (*cfn.DescribeChangeSetOutput, error)
	DeleteChangeSet(context.Context, *cfn.DeleteChangeSetInput, ...func(*cfn.Options)) (*cfn.DeleteChangeSetOutput, error)
	ExecuteChangeSet(context.Context, *cfn.ExecuteChangeSetInput, ...func(*cfn.Options)) (*cfn.ExecuteChangeSetOutput, error)
	DescribeStackEvents(context.Context, *cfn.DescribeStackEventsInput, ...func(*cfn.Options)) (*cfn.DescribeStackEventsOutput, error)
	DeleteStack(context.Context, *cfn.DeleteStackInput, ...func(*cfn.Options)) (*cfn.DeleteStackOutput, error)
	UpdateTerminationProtection(context.Context, *cfn.UpdateTerminationProtectionInput, ...func(*cfn.Options)) (*cfn.UpdateTerminationProtectionOutput, error)
}

// Environment is the CloudFormation stack of a recipe.
type Environment struct {
	API     API
	Name    string
	Region  string
	Tags    map[string]string
	Protect bool // termination protection

	// Pause is the time between two requests for the progress; 0: three seconds.
	Pause time.Duration
}

// MaxTemplate is the size of a template in bytes that CloudFormation accepts in a request.
const MaxTemplate = 51200

// Status is the state of the stack.
type Status string

// Exists reports whether there is a stack. A stack whose first change set was never executed has no resources and doesn't count.
func (s Status) Exists() bool { return s != "" && s != "REVIEW_IN_PROGRESS" && s != "DELETE_COMPLETE" }

// Busy reports whether CloudFormation is working on the stack.
func (s Status) Busy() bool {
	return strings.HasSuffix(string(s), "_IN_PROGRESS") && s != "REVIEW_IN_PROGRESS"
}

// Broken reports whether the stack can only be deleted: its creation or its deletion failed.
func (s Status) Broken() bool {
	switch s {
	case "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED":
		return true
	}
	return false
}

// Failed reports whether the last operation failed.
func (s Status) Failed() bool {
	return strings.HasSuffix(string(s), "_FAILED") || strings.Contains(string(s), "ROLLBACK")
}

// Stack is the CloudFormation stack as it is now.
type Stack struct {
	ID        string // "": there is none
	Status    Status
	Reason    string
	Protected bool
	Outputs   map[string]string // by their names in the template
}

// Look returns the stack as it is now. If there is none, the result has no status.
func (e *Environment) Look(ctx context.Context) (Stack, error) { return e.look(ctx, e.Name) }

// look returns a stack by its name, or by its ID, by which a deleted stack is found too.
func (e *Environment) look(ctx context.Context, name string) (Stack, error) {
	out, err := e.API.DescribeStacks(ctx, &cfn.DescribeStacksInput{StackName: &name})
	if missing(err) {
		return Stack{}, nil
	}
	if err != nil {
		return Stack{}, e.explain(err, "cloudformation:DescribeStacks")
	}
	if len(out.Stacks) == 0 {
		return Stack{}, nil
	}
	s := out.Stacks[0]
	found := Stack{
		ID: sdk.ToString(s.StackId), Status: Status(s.StackStatus), Reason: sdk.ToString(s.StackStatusReason),
		Protected: sdk.ToBool(s.EnableTerminationProtection), Outputs: map[string]string{},
	}
	for _, o := range s.Outputs {
		found.Outputs[sdk.ToString(o.OutputKey)] = sdk.ToString(o.OutputValue)
	}
	if found.Status == "DELETE_COMPLETE" && name == e.Name {
		return Stack{}, nil
	}
	return found, nil
}

// missing reports whether CloudFormation knows no such stack or change set.
func missing(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	return api.ErrorCode() == "ChangeSetNotFound" || api.ErrorCode() == "ValidationError" && strings.Contains(api.ErrorMessage(), "does not exist")
}

func (e *Environment) pause() time.Duration {
	if e.Pause > 0 {
		return e.Pause
	}
	return 3 * time.Second
}

// wait waits for the pause between two requests.
func (e *Environment) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(e.pause()):
		return nil
	}
}

func (e *Environment) tags() []types.Tag {
	var out []types.Tag
	for key, value := range e.Tags {
		out = append(out, types.Tag{Key: &key, Value: &value})
	}
	return out
}
