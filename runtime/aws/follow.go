package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
)

// Event is a step of CloudFormation's work.
type Event struct {
	Time     time.Time `json:"time"`
	Resource string    `json:"resource"` // its logical name; the name of the stack for the stack itself
	Type     string    `json:"type"`
	Status   string    `json:"status"`
	Reason   string    `json:"reason,omitempty"`
}

// Failed reports whether the event is the failure of a resource.
func (e Event) Failed() bool { return strings.HasSuffix(e.Status, "_FAILED") }

// FailedError reports that an operation failed. First is the first failure, which caused the others.
type FailedError struct {
	Stack  string
	Status Status
	First  *Event // nil: CloudFormation reported no resource
	Reason string // of the stack
}

func (e *FailedError) Error() string {
	if e.First == nil {
		return fmt.Sprintf("the stack %s failed: %s: %s", e.Stack, e.Status, e.Reason)
	}
	text := fmt.Sprintf("%s (%s) failed: %s", e.First.Resource, e.First.Type, e.First.Reason)
	return fmt.Sprintf("%s\nThe stack %s is now in the status %s.", text, e.Stack, e.Status)
}

// A mark is the newest event before an operation, so that the events of the operation are those after it.
type mark struct {
	event  string // its ID; "": there is none, or it isn't known
	status Status // of the stack
}

// mark returns the mark of an operation that is about to start.
func (e *Environment) mark(ctx context.Context, stack Stack) (mark, error) {
	out := mark{status: stack.Status}
	if stack.ID == "" {
		return out, nil
	}
	page, err := e.API.DescribeStackEvents(ctx, &cfn.DescribeStackEventsInput{StackName: &stack.ID})
	if err == nil && len(page.StackEvents) > 0 {
		out.event = sdk.ToString(page.StackEvents[0].EventId)
	}
	if missing(err) {
		err = nil
	}
	return out, e.explain(err, "cloudformation:DescribeStackEvents")
}

// Follow follows the operation that CloudFormation is working on to its end, including its events so far.
func (e *Environment) Follow(ctx context.Context, observe func(Event)) error {
	stack, err := e.Look(ctx)
	if err != nil || !stack.Status.Busy() {
		return err
	}
	return e.follow(ctx, stack.ID, mark{}, observe)
}

// follow calls observe with each event after the mark, in order, until the operation has ended. If it fails, the error has the
// first failure.
func (e *Environment) follow(ctx context.Context, name string, from mark, observe func(Event)) error {
	f := following{Environment: e, name: name, from: from, seen: map[string]bool{from.event: true}, observe: observe}
	for {
		if err := f.events(ctx); err != nil {
			return err
		}
		stack, err := e.look(ctx, name)
		switch {
		case err != nil && !passing(err):
			return err
		case err != nil || stack.Status.Busy() || stack.Status == "REVIEW_IN_PROGRESS":
		case !f.started && stack.Status == from.status: // AWS doesn't show the operation yet
		default:
			return f.end(ctx, stack)
		}
		if err := e.wait(ctx); err != nil {
			return err
		}
	}
}

// following is the state of an operation that is followed.
type following struct {
	*Environment
	name    string
	from    mark
	seen    map[string]bool // IDs of events
	started bool            // there is an event of the operation
	first   *Event          // the first failure
	observe func(Event)
}

// end returns the error of an operation that failed, or nil.
func (f *following) end(ctx context.Context, stack Stack) error {
	if err := f.events(ctx); err != nil { // the last ones may have come after the last request
		return err
	}
	if !stack.Status.Failed() {
		return nil
	}
	return &FailedError{Stack: f.Name, Status: stack.Status, First: f.first, Reason: oneLine(stack.Reason)}
}

// events calls observe with the new events.
func (f *following) events(ctx context.Context) error {
	news, err := f.news(ctx)
	if err != nil {
		return err
	}
	if f.from.event == "" && !f.started {
		news = f.current(news)
	}
	for i := range news {
		f.started = true
		if f.observe != nil {
			f.observe(news[i])
		}
		if f.first == nil && news[i].Failed() && !consequence(news[i].Reason) {
			f.first = &news[i]
		}
	}
	return nil
}

// current returns the events of the last operation.
func (f *following) current(all []Event) []Event {
	for i, one := range slices.Backward(all) {
		if one.Type != "AWS::CloudFormation::Stack" || one.Resource != f.Name {
			continue
		}
		switch one.Status {
		case "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "IMPORT_IN_PROGRESS":
			return all[i:]
		}
	}
	return all
}

// consequence reports whether a resource failed because another one did.
func consequence(reason string) bool {
	return strings.Contains(reason, "cancelled") || strings.Contains(reason, "The following resource(s) failed")
}

// news returns the events that were not seen yet, in order.
func (f *following) news(ctx context.Context) ([]Event, error) {
	var out []Event
	for token := (*string)(nil); ; {
		page, err := f.API.DescribeStackEvents(ctx, &cfn.DescribeStackEventsInput{StackName: &f.name, NextToken: token})
		if missing(err) || passing(err) {
			break // they are asked for again
		}
		if err != nil {
			return nil, f.explain(err, "cloudformation:DescribeStackEvents")
		}
		known := false
		for i := range page.StackEvents {
			one := &page.StackEvents[i]
			id := sdk.ToString(one.EventId)
			if known = f.seen[id]; known {
				break
			}
			f.seen[id] = true
			out = append(out, Event{
				Time: sdk.ToTime(one.Timestamp), Resource: sdk.ToString(one.LogicalResourceId), Type: sdk.ToString(one.ResourceType),
				Status: string(one.ResourceStatus), Reason: oneLine(sdk.ToString(one.ResourceStatusReason)),
			})
		}
		if token = page.NextToken; token == nil || known {
			break
		}
	}
	slices.Reverse(out) // AWS returns the newest first
	return out, nil
}
