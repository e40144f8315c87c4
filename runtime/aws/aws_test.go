package aws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"

	"pipec.dev/pipec/runtime/aws"
	"pipec.dev/pipec/runtime/aws/awstest"
)

const first = `{"Resources": {
	"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate", "Properties": {"BucketName": "data"}},
	"Cluster": {"Type": "AWS::EKS::Cluster", "Properties": {"Name": "c", "Tags": []}},
	"VPC": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}}},
	"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}`

// test calls f in a bubble with a fake and an environment on it. A resource of the fake takes 20 seconds.
func test(t *testing.T, f func(t *testing.T, s *awstest.Server, e *aws.Environment)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &awstest.Server{Step: 20 * time.Second}
		api := cfn.New(cfn.Options{
			Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""), HTTPClient: &http.Client{Transport: s}, RetryMaxAttempts: 2,
			BaseEndpoint: sdk.String("http://cloudformation.test"),
		})
		f(t, s, &aws.Environment{API: api, Name: "pipec-digits-prod", Region: "eu-central-1"})
	})
}

// apply plans a template and makes the change.
func apply(t *testing.T, e *aws.Environment, template string) ([]aws.Event, error) {
	t.Helper()
	p, err := e.Plan(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	var events []aws.Event
	return events, p.Apply(t.Context(), func(one aws.Event) { events = append(events, one) })
}

func TestUp(t *testing.T) {
	test(t, func(t *testing.T, s *awstest.Server, e *aws.Environment) {
		e.Protect = true
		p, err := e.Plan(t.Context(), first)
		if err != nil || p.Empty() || len(p.Changes) != 3 || p.Changes[1].Action != aws.Add || p.Changes[1].Resource != "Cluster" {
			t.Fatalf("%+v, %v", p, err)
		}
		var events []aws.Event
		if err := p.Apply(t.Context(), func(one aws.Event) { events = append(events, one) }); err != nil {
			t.Fatal(err)
		}
		if n := len(events); n != 8 || events[0].Status != "CREATE_IN_PROGRESS" || events[7].Status != "CREATE_COMPLETE" || !slices.IsSortedFunc(events, func(a, b aws.Event) int { return a.Time.Compare(b.Time) }) {
			t.Errorf("%d events: %+v", n, events)
		}
		stack, err := e.Look(t.Context())
		if err != nil || stack.Outputs["Bucket"] != "data" || !stack.Protected {
			t.Errorf("%+v, %v", stack, err)
		}
		if p, err = e.Plan(t.Context(), first); err != nil || !p.Empty() {
			t.Errorf("the second plan isn't empty: %+v, %v", p, err)
		}
		var protected *aws.ProtectedError
		if err := e.Delete(t.Context(), nil); !errors.As(err, &protected) {
			t.Errorf("a protected stack: %v", err)
		}
	})
}

func TestChanges(t *testing.T) {
	test(t, func(t *testing.T, s *awstest.Server, e *aws.Environment) {
		s.Buckets = map[string]map[string]bool{"data": {}}
		p, err := e.Plan(t.Context(), first)
		if err != nil || p.Changes[0].Action != aws.Import {
			t.Fatalf("%+v, %v", p, err)
		}
		if err := p.Discard(t.Context()); err != nil {
			t.Fatal(err)
		}
		if stack, err := e.Look(t.Context()); err != nil || stack.Status != "" {
			t.Errorf("a discarded plan has left %+v, %v", stack, err)
		}
		if _, err := apply(t, e, first); err != nil {
			t.Fatal(err)
		}
		next := strings.NewReplacer(`"Tags": []`, `"Tags": [1]`, "10.0.0.0/16", "10.1.0.0/16", `"Bucket": {"Type"`, `"New": {"Type"`, `{"Ref": "Bucket"}`, `"x"`).Replace(first)
		p, err = e.Plan(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		want := `Bucket remove [] | Cluster modify [Tags:[]:[1]:false] | New import [] | VPC replace [CidrBlock:10.0.0.0/16:10.1.0.0/16:true]`
		var got []string
		for _, c := range p.Changes {
			var properties []string
			for _, one := range c.Properties {
				properties = append(properties, fmt.Sprintf("%s:%s:%s:%t", one.Path, one.Before, one.After, one.Replace))
			}
			got = append(got, fmt.Sprint(c.Resource, " ", c.Action, " ", properties))
		}
		if text := strings.Join(got, " | "); text != want {
			t.Errorf("got  %s\nwant %s", text, want)
		}
	})
}

// TestFailure: the error has the first failure, and the next attempt deletes what this one left.
func TestFailure(t *testing.T) {
	test(t, func(t *testing.T, s *awstest.Server, e *aws.Environment) {
		s.Fail = map[string]string{"Cluster": "You have reached the limit of clusters"}
		_, err := apply(t, e, first)
		var failed *aws.FailedError
		if !errors.As(err, &failed) || failed.First == nil || failed.First.Resource != "Cluster" || failed.Status != "ROLLBACK_COMPLETE" {
			t.Fatal(err)
		}
		if !strings.HasPrefix(err.Error(), "Cluster (AWS::EKS::Cluster) failed: You have reached the limit of clusters") {
			t.Error(err)
		}
		var broken *aws.BrokenError
		if _, err := e.Plan(t.Context(), first); !errors.As(err, &broken) {
			t.Fatal(err)
		}
		s.Fail = nil
		if err := e.Delete(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if _, err := apply(t, e, first); err != nil {
			t.Error(err)
		}
		s.Fail = map[string]string{"VPC": "no"}
		_, err = apply(t, e, strings.Replace(first, "10.0", "10.9", 1))
		if !errors.As(err, &failed) || failed.First.Resource != "VPC" || failed.Status != "UPDATE_ROLLBACK_COMPLETE" {
			t.Error(err)
		}
		s.Fail = nil
		if _, err := apply(t, e, strings.Replace(first, "10.0", "10.9", 1)); err != nil {
			t.Errorf("after an update that was rolled back: %v", err)
		}
	})
}

// TestInterruption: the end of the context stops following. The next command follows the operation from its start.
func TestInterruption(t *testing.T) {
	test(t, func(t *testing.T, s *awstest.Server, e *aws.Environment) {
		ctx, cancel := context.WithTimeout(t.Context(), 70*time.Second)
		defer cancel()
		p, err := e.Plan(ctx, first)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Apply(ctx, nil); ctx.Err() == nil || err == nil {
			t.Fatal(err)
		}
		var busy *aws.BusyError
		if _, err := e.Plan(t.Context(), first); !errors.As(err, &busy) {
			t.Fatal(err)
		}
		var events []aws.Event
		if err := e.Follow(t.Context(), func(one aws.Event) { events = append(events, one) }); err != nil {
			t.Fatal(err)
		}
		if len(events) != 8 || events[0].Status != "CREATE_IN_PROGRESS" {
			t.Errorf("%+v", events)
		}
		if p, err := e.Plan(t.Context(), first); err != nil || !p.Empty() {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

func TestDelete(t *testing.T) {
	test(t, func(t *testing.T, s *awstest.Server, e *aws.Environment) {
		if err := e.Delete(t.Context(), nil); err != nil {
			t.Errorf("without a stack: %v", err)
		}
		if _, err := apply(t, e, first); err != nil {
			t.Fatal(err)
		}
		s.Stuck = map[string]string{"VPC": "The vpc has dependencies and cannot be deleted."}
		var failed *aws.FailedError
		if err := e.Delete(t.Context(), nil); !errors.As(err, &failed) || failed.Status != "DELETE_FAILED" || failed.First.Resource != "VPC" {
			t.Fatal(err)
		}
		s.Stuck = nil
		var events []aws.Event
		if err := e.Delete(t.Context(), func(one aws.Event) { events = append(events, one) }); err != nil {
			t.Fatal(err)
		}
		for _, one := range events {
			if one.Resource == "Bucket" || one.Failed() {
				t.Errorf("%+v", one)
			}
		}
		if stack, err := e.Look(t.Context()); err != nil || stack.Status != "" {
			t.Errorf("%+v, %v", stack, err)
		}
	})
}

// TestThrottling: throttled requests for the progress are repeated.
func TestThrottling(t *testing.T) {
	test(t, func(t *testing.T, s *awstest.Server, e *aws.Environment) {
		p, err := e.Plan(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Apply(t.Context(), func(one aws.Event) {
			s.Lock()
			defer s.Unlock()
			s.Throttle = 9
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestCredentials(t *testing.T) {
	test(t, func(t *testing.T, s *awstest.Server, e *aws.Environment) {
		p, err := e.Plan(t.Context(), first)
		if err != nil {
			t.Fatal(err)
		}
		err = p.Apply(t.Context(), func(aws.Event) {
			s.Lock()
			defer s.Unlock()
			s.Expired = true
		})
		if err == nil || !strings.Contains(err.Error(), "doesn't accept the credentials") || !strings.Contains(err.Error(), "aws sso login") {
			t.Error(err)
		}
		s.Expired, s.Deny = false, map[string]bool{"DescribeStacks": true}
		if _, err = e.Plan(t.Context(), first); err == nil || !strings.Contains(err.Error(), "The permission cloudformation:DescribeStacks is required.") {
			t.Error(err)
		}
	})
}
