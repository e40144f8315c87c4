// Package awstest is a fake of AWS in memory, for tests: an http.Handler that speaks the protocols of CloudFormation, and of the parts of
// S3, ECR and EKS that pipec uses around it. It plays the events of an operation over time, by the clock of the process, so that a
// test in a bubble of testing/synctest takes no time. Of the resources that templates describe, it makes the buckets and the
// repositories.
//
// A test sets what goes wrong: resources that fail, a deletion that fails, throttling, and credentials that expire.
package awstest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// Server is the fake. Its fields may be changed between requests, with the lock held.
type Server struct {
	sync.Mutex
	Step     time.Duration     // how long a resource takes; 0: it takes no time
	Fail     map[string]string // resources that fail, by logical name, with the reason
	Stuck    map[string]string // resources that can't be deleted, with the reason
	Throttle int               // how many of the next requests are throttled
	Expired  bool              // the credentials have expired
	Deny     map[string]bool   // actions that are denied, such as "CreateChangeSet"

	Buckets      map[string]map[string]bool // the keys of the objects, by the name of the bucket
	Repositories map[string]int             // the number of images, by name
	Clusters     map[string]Cluster         // EKS clusters, by name

	Calls  []string // the actions that were called
	stacks []*stack // also those that were deleted
	n      int      // numbers IDs
}

const (
	account   = "123456789012"
	region    = "eu-central-1"
	stackType = "AWS::CloudFormation::Stack"
)

// fault is an error of the query protocol.
type fault struct {
	status     int
	Code       string
	Message    string
	fromServer bool
}

func (f *fault) Error() string { return f.Code + ": " + f.Message }

func invalid(format string, args ...any) *fault {
	return &fault{status: http.StatusBadRequest, Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	switch target := r.Header.Get("X-Amz-Target"); {
	case strings.HasPrefix(target, ecrTarget):
		s.ecr(w, r, strings.TrimPrefix(target, ecrTarget))
		return
	case strings.HasPrefix(r.URL.Path, "/clusters/"):
		s.eks(w, strings.TrimPrefix(r.URL.Path, "/clusters/"))
		return
	case r.URL.Path != "/":
		s.s3(w, r)
		return
	}
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	action := r.Form.Get("Action")
	s.Calls = append(s.Calls, action)
	result, err := s.answer(action, r)
	w.Header().Set("Content-Type", "text/xml")
	if err != nil {
		w.WriteHeader(err.status)
		fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>", err.Code, escape(err.Message))
		return
	}
	data, bad := xml.Marshal(result)
	if bad != nil {
		panic(bad)
	}
	fmt.Fprintf(w, "<%[1]sResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">%[2]s<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></%[1]sResponse>", action, data)
}

func escape(s string) string {
	var out []byte
	for _, r := range s {
		switch r {
		case '<':
			out = append(out, "&lt;"...)
		case '&':
			out = append(out, "&amp;"...)
		default:
			out = append(out, string(r)...)
		}
	}
	return string(out)
}

func (s *Server) answer(action string, r *http.Request) (any, *fault) {
	switch {
	case s.Throttle > 0:
		s.Throttle--
		return nil, &fault{status: http.StatusBadRequest, Code: "Throttling", Message: "Rate exceeded"}
	case s.Expired:
		return nil, &fault{status: http.StatusForbidden, Code: "ExpiredToken", Message: "The security token included in the request is expired"}
	case s.Deny[action]:
		return nil, &fault{status: http.StatusForbidden, Code: "AccessDenied",
			Message: fmt.Sprintf("User: arn:aws:iam::%s:user/dev is not authorized to perform: cloudformation:%s on resource: x", account, action)}
	}
	for _, one := range s.stacks {
		one.advance(time.Now())
	}
	switch action {
	case "DescribeStacks":
		return s.describeStacks(r)
	case "CreateChangeSet":
		return s.createChangeSet(r)
	case "DescribeChangeSet":
		return s.describeChangeSet(r)
	case "DeleteChangeSet":
		return s.deleteChangeSet(r)
	case "ExecuteChangeSet":
		return s.executeChangeSet(r)
	case "DescribeStackEvents":
		return s.describeStackEvents(r)
	case "DeleteStack":
		return s.deleteStack(r)
	case "UpdateTerminationProtection":
		return s.protect(r)
	}
	return nil, &fault{status: http.StatusBadRequest, Code: "InvalidAction", Message: "Could not find operation " + action}
}

// RoundTrip answers a request without a network, for the HTTP client of an SDK within a bubble of testing/synctest.
func (s *Server) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	out := w.Result()
	out.Request = r
	return out, nil
}

// id returns a new number for an ID.
func (s *Server) id() string { s.n++; return fmt.Sprintf("%08d", s.n) }
