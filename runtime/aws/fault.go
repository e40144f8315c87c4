package aws

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
)

// Error is a request to AWS that failed.
type Error struct {
	Text string
	Hint string // what to do; may be ""
	Err  error
}

func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Text
	}
	return e.Text + "\n" + e.Hint
}

func (e *Error) Unwrap() error { return e.Err }

// login is the hint for credentials that can't be used.
const login = "Log in again (for example with `aws sso login`), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. What CloudFormation has started continues, and the same command follows it."

// expired are the codes for credentials that AWS doesn't accept any more, or never did.
var expired = map[string]bool{
	"ExpiredToken": true, "ExpiredTokenException": true, "RequestExpired": true, "InvalidClientTokenId": true, "UnrecognizedClientException": true,
	"SignatureDoesNotMatch": true, "InvalidToken": true, "TokenRefreshRequired": true,
}

// notAllowed finds the action in the message of AWS: "User: … is not authorized to perform: ACTION on resource: …".
var notAllowed = regexp.MustCompile(`not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)`)

// explain returns an error of a request with what to do about it. action is the permission that the request needs.
func (e *Environment) explain(err error, action string) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	out := &Error{Err: err}
	var api smithy.APIError
	switch {
	case !errors.As(err, &api) && noCredentials(err):
		out.Text, out.Hint = "there are no AWS credentials", login
	case !errors.As(err, &api):
		out.Text = fmt.Sprintf("AWS CloudFormation in %s does not respond: %s", e.Region, oneLine(err.Error()))
		out.Hint = "Check the region of the recipe and the network."
	case expired[api.ErrorCode()]:
		out.Text, out.Hint = "AWS doesn't accept the credentials: "+oneLine(api.ErrorMessage()), login
	case denied(api):
		if m := notAllowed.FindStringSubmatch(api.ErrorMessage()); m != nil {
			action = m[1]
		}
		out.Text, out.Hint = "AWS denied the request: "+oneLine(api.ErrorMessage()), "The permission "+action+" is required."
	default:
		out.Text = fmt.Sprintf("AWS CloudFormation: %s: %s", api.ErrorCode(), oneLine(api.ErrorMessage()))
	}
	return out
}

func denied(api smithy.APIError) bool {
	code := api.ErrorCode()
	return strings.HasPrefix(code, "AccessDenied") || code == "UnauthorizedOperation"
}

func noCredentials(err error) bool {
	text := err.Error()
	return strings.Contains(text, "get identity") || strings.Contains(text, "credentials")
}

// passing reports whether an error of a request about progress may pass: the request is repeated.
func passing(err error) bool {
	var api smithy.APIError
	if errors.As(err, &api) {
		_, throttled := retry.DefaultThrottleErrorCodes[api.ErrorCode()]
		return throttled || api.ErrorFault() == smithy.FaultServer
	}
	return err != nil && !noCredentials(err) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded)
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
