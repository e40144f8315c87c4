package awstest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// template is a template as the fake reads it.
type template struct {
	Resources map[string]resource
	Outputs   map[string]struct{ Value any }
}

type resource struct {
	Type           string
	Properties     map[string]any
	DeletionPolicy string
}

// event is an event of a stack. It is shown from its time on.
type event struct {
	EventId              string //nolint:revive // the name in the protocol
	StackId              string //nolint:revive // the name in the protocol
	StackName            string
	LogicalResourceId    string //nolint:revive // the name in the protocol
	PhysicalResourceId   string //nolint:revive // the name in the protocol
	ResourceType         string
	Timestamp            time.Time
	ResourceStatus       string
	ResourceStatusReason string `xml:",omitempty"`
}

type stack struct {
	server    *Server
	id, name  string
	status    string
	reason    string
	made      time.Time
	protected bool
	current   template // what exists
	events    []event  // the oldest first
	planned   []planned
	sets      []*changeSet
}

// planned is a change of the stack at a time.
type planned struct {
	at time.Time
	do func(at time.Time)
}

func (s *stack) advance(now time.Time) {
	for len(s.planned) > 0 && !s.planned[0].at.After(now) {
		next := s.planned[0]
		s.planned = s.planned[1:]
		next.do(next.at)
	}
}

// happened adds an event.
func (s *stack) happened(at time.Time, name, typ, status, reason string) {
	physical := s.physical(name, typ)
	s.events = append(s.events, event{s.server.id(), s.id, s.name, name, physical, typ, at, status, reason})
	if typ == stackType {
		s.status, s.reason = status, reason
	}
}

func (s *stack) physical(name, typ string) string {
	if typ == stackType {
		return s.id
	}
	return strings.ToLower(s.name + "-" + name)
}

// operation plans an operation on resources, one after the other. failing is the reason by which a resource fails, and back what is done
// when one has failed: it returns the last status.
func (s *stack) operation(now time.Time, verb string, names []string, types map[string]string, failing map[string]string, done, failed func(at time.Time)) {
	s.happened(now, s.name, stackType, verb+"_IN_PROGRESS", "User Initiated")
	at := now
	for _, name := range names {
		at = at.Add(s.server.Step)
		s.plan(at, func(at time.Time) { s.happened(at, name, types[name], verb+"_IN_PROGRESS", "") })
		if reason, ok := failing[name]; ok {
			at = at.Add(s.server.Step)
			s.plan(at, func(at time.Time) { s.happened(at, name, types[name], verb+"_FAILED", reason) })
			s.plan(at, failed)
			return
		}
		at = at.Add(s.server.Step)
		s.plan(at, func(at time.Time) { s.happened(at, name, types[name], verb+"_COMPLETE", "") })
	}
	s.plan(at.Add(s.server.Step), done)
	s.advance(now)
}

func (s *stack) plan(at time.Time, do func(time.Time)) {
	s.planned = append(s.planned, planned{at, do})
}

// create makes or updates the stack to a template.
func (s *stack) create(now time.Time, next template, verb string) {
	var names []string
	types := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(next.Resources)) {
		types[name] = next.Resources[name].Type
		if before, ok := s.current.Resources[name]; !ok || !equal(before.Properties, next.Resources[name].Properties) {
			names = append(names, name)
		}
	}
	before := s.current
	end := func(status string) func(time.Time) {
		return func(at time.Time) { s.happened(at, s.name, stackType, status, "") }
	}
	s.operation(now, verb, names, types, s.server.Fail,
		func(at time.Time) {
			s.current = next
			s.server.own(next)
			end(verb + "_COMPLETE")(at)
		},
		func(at time.Time) {
			s.current = before
			rolling := map[string]string{"CREATE": "ROLLBACK", "UPDATE": "UPDATE_ROLLBACK"}[verb]
			s.happened(at, "Other", "AWS::EC2::VPC", verb+"_FAILED", "Resource creation cancelled")
			end(rolling + "_IN_PROGRESS")(at)
			s.plan(at.Add(s.server.Step), end(rolling+"_COMPLETE"))
			s.advance(at)
		})
}

func (s *stack) remove(now time.Time) {
	types := map[string]string{}
	for name, r := range s.current.Resources {
		if !strings.HasPrefix(r.DeletionPolicy, "Retain") {
			types[name] = r.Type
		}
	}
	names := slices.Sorted(maps.Keys(types))
	slices.Reverse(names)
	s.planned = nil
	s.operation(now, "DELETE", names, types, s.server.Stuck,
		func(at time.Time) { s.happened(at, s.name, stackType, "DELETE_COMPLETE", "") },
		func(at time.Time) {
			s.happened(at, s.name, stackType, "DELETE_FAILED", "The following resource(s) failed to delete")
		})
}

func equal(a, b any) bool {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return string(x) == string(y)
}

// outputs returns the values of the outputs.
func (s *stack) outputs() map[string]string {
	out := map[string]string{}
	if !strings.HasSuffix(s.status, "_COMPLETE") {
		return out
	}
	for name, o := range s.current.Outputs {
		out[name] = s.value(o.Value)
	}
	return out
}

// identifier returns the physical ID of a resource: its own name, if the template has one.
func (s *stack) identifier(name string) string {
	for _, key := range []string{"BucketName", "RepositoryName", "Name"} {
		if fixed, ok := s.current.Resources[name].Properties[key]; ok {
			return s.value(fixed)
		}
	}
	return s.physical(name, "")
}

func (s *stack) value(v any) string {
	m, ok := v.(map[string]any)
	if !ok {
		return fmt.Sprint(v)
	}
	if name, ok := m["Ref"].(string); ok {
		return s.identifier(name)
	}
	if list, ok := m["Fn::GetAtt"].([]any); ok {
		name := list[0].(string)
		if s.current.Resources[name].Type == "AWS::EKS::Cluster" {
			return fmt.Sprintf("arn:aws:eks:%s:%s:cluster/%s", region, account, s.identifier(name))
		}
		return fmt.Sprintf("arn:aws:iam::%s:role/%s", account, s.identifier(name))
	}
	text, _ := m["Fn::Sub"].(string)
	for name := range s.current.Resources {
		if ref := "${" + name + "}"; strings.Contains(text, ref) {
			text = strings.ReplaceAll(text, ref, s.identifier(name))
		}
	}
	return strings.NewReplacer("${AWS::AccountId}", account, "${AWS::Region}", region, "${AWS::Partition}", "aws", "${AWS::URLSuffix}", "amazonaws.com").Replace(text)
}
