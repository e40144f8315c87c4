package awstest

import (
	"encoding/json"
	"encoding/xml"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

type changeSet struct {
	id, name string
	kind     string // CREATE or UPDATE
	next     template
	changes  []change
	ready    time.Time
}

type change struct {
	action, name, typ, replacement string
	properties                     []property
}

type property struct {
	name, before, after string
	recreates           bool
}

// recreated are the properties whose change replaces a resource.
var recreated = []string{"BucketName", "RepositoryName", "CidrBlock", "ClusterName", "Namespace", "ServiceAccount", "Name"}

// find returns the stack of a request: by name, one that exists; by ID, also one that was deleted.
func (s *Server) find(r *http.Request) (*stack, *fault) {
	name := r.Form.Get("StackName")
	for _, one := range slices.Backward(s.stacks) {
		if one.id == name || one.name == name && one.status != "DELETE_COMPLETE" {
			return one, nil
		}
	}
	return nil, invalid("Stack with id %s does not exist", name)
}

type member[T any] struct {
	Member []T `xml:"member"`
}

type output struct{ OutputKey, OutputValue string }

type described struct {
	StackId, StackName, StackStatus string
	StackStatusReason               string `xml:",omitempty"`
	CreationTime                    time.Time
	EnableTerminationProtection     bool
	Outputs                         member[output]
}

func (s *Server) describeStacks(r *http.Request) (any, *fault) {
	one, err := s.find(r)
	if err != nil {
		return nil, err
	}
	d := described{StackId: one.id, StackName: one.name, StackStatus: one.status, StackStatusReason: one.reason, CreationTime: one.made, EnableTerminationProtection: one.protected}
	outputs := one.outputs()
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		d.Outputs.Member = append(d.Outputs.Member, output{name, outputs[name]})
	}
	return struct {
		XMLName xml.Name `xml:"DescribeStacksResult"`
		Stacks  member[described]
	}{Stacks: member[described]{[]described{d}}}, nil
}

func (s *Server) createChangeSet(r *http.Request) (any, *fault) {
	set := &changeSet{name: r.Form.Get("ChangeSetName"), kind: r.Form.Get("ChangeSetType"), ready: time.Now().Add(s.Step)}
	body := r.Form.Get("TemplateBody")
	if err := json.Unmarshal([]byte(body), &set.next); err != nil || len(set.next.Resources) == 0 {
		return nil, invalid("Template format error: JSON not well-formed")
	}
	one, missing := s.find(r)
	switch {
	case set.kind == "UPDATE" && missing != nil:
		return nil, missing
	case set.kind == "CREATE" && missing == nil && one.status != "REVIEW_IN_PROGRESS":
		return nil, invalid("Stack [%s] already exists and cannot be created again with the changeSet [%s].", one.name, set.name)
	case missing == nil && (strings.HasSuffix(one.status, "_IN_PROGRESS") && one.status != "REVIEW_IN_PROGRESS" || one.status == "ROLLBACK_COMPLETE"):
		return nil, invalid("Stack:%s is in %s state and can not be updated.", one.id, one.status)
	case missing != nil:
		one = &stack{server: s, name: r.Form.Get("StackName"), made: time.Now()}
		one.id = "arn:aws:cloudformation:" + region + ":" + account + ":stack/" + one.name + "/" + s.id()
		s.stacks = append(s.stacks, one)
		one.happened(time.Now(), one.name, stackType, "REVIEW_IN_PROGRESS", "User Initiated")
	}
	if slices.ContainsFunc(one.sets, func(c *changeSet) bool { return c.name == set.name }) {
		return nil, &fault{status: http.StatusBadRequest, Code: "AlreadyExistsException", Message: "ChangeSet " + set.name + " already exists"}
	}
	set.id = "arn:aws:cloudformation:" + region + ":" + account + ":changeSet/" + set.name + "/" + s.id()
	set.changes = s.compare(one.current, set.next)
	one.sets = append(one.sets, set)
	return struct {
		XMLName     xml.Name `xml:"CreateChangeSetResult"`
		Id, StackId string
	}{Id: set.id, StackId: one.id}, nil
}

// compare returns the changes from one template to the next.
func (s *Server) compare(before, after template) []change {
	var out []change
	for _, name := range slices.Sorted(maps.Keys(after.Resources)) {
		next := after.Resources[name]
		old, exists := before.Resources[name]
		c := change{action: "Modify", name: name, typ: next.Type, replacement: "False"}
		if !exists {
			c.action, c.replacement = "Add", ""
			for _, key := range []string{"BucketName", "RepositoryName"} {
				if fixed, ok := next.Properties[key]; ok && s.exists((&stack{}).value(fixed)) {
					c.action = "Import"
				}
			}
		} else if equal(old.Properties, next.Properties) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(merged(old.Properties, next.Properties))) {
			if exists && !equal(old.Properties[key], next.Properties[key]) {
				p := property{name: key, before: text(old.Properties[key]), after: text(next.Properties[key]), recreates: slices.Contains(recreated, key)}
				if p.recreates {
					c.replacement = "True"
				}
				c.properties = append(c.properties, p)
			}
		}
		out = append(out, c)
	}
	for _, name := range slices.Sorted(maps.Keys(before.Resources)) {
		if _, stays := after.Resources[name]; !stays {
			out = append(out, change{action: "Remove", name: name, typ: before.Resources[name].Type})
		}
	}
	return out
}

func merged(a, b map[string]any) map[string]any {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]any{}
	}
	maps.Copy(out, b)
	return out
}

func text(v any) string {
	if s, ok := v.(string); ok || v == nil {
		return s
	}
	data, _ := json.Marshal(v)
	return string(data)
}

func (s *stack) set(name string) *changeSet {
	for _, c := range s.sets {
		if c.name == name || c.id == name {
			return c
		}
	}
	return nil
}

func (s *Server) changeSet(r *http.Request) (*stack, *changeSet, *fault) {
	one, err := s.find(r)
	if err != nil {
		return nil, nil, err
	}
	c := one.set(r.Form.Get("ChangeSetName"))
	if c == nil {
		return nil, nil, &fault{status: http.StatusNotFound, Code: "ChangeSetNotFound", Message: "ChangeSet [" + r.Form.Get("ChangeSetName") + "] does not exist"}
	}
	return one, c, nil
}

type target struct {
	Attribute, Name, Path, RequiresRecreation string
	BeforeValue, AfterValue                   string `xml:",omitempty"`
}

type detail struct{ Target target }

type resourceChange struct {
	Action, LogicalResourceId, ResourceType string
	Replacement                             string `xml:",omitempty"`
	Details                                 member[detail]
}

type wrapped struct {
	Type           string
	ResourceChange resourceChange
}

func (s *Server) describeChangeSet(r *http.Request) (any, *fault) {
	one, set, err := s.changeSet(r)
	if err != nil {
		return nil, err
	}
	out := struct {
		XMLName                                       xml.Name `xml:"DescribeChangeSetResult"`
		ChangeSetId, ChangeSetName, StackName, Status string
		StatusReason                                  string `xml:",omitempty"`
		Changes                                       member[wrapped]
	}{ChangeSetId: set.id, ChangeSetName: set.name, StackName: one.name, Status: "CREATE_COMPLETE"}
	switch {
	case time.Now().Before(set.ready):
		out.Status = "CREATE_IN_PROGRESS"
		return out, nil
	case len(set.changes) == 0:
		out.Status, out.StatusReason = "FAILED", "The submitted information didn't contain changes. Submit different information to create a change set."
	}
	for _, c := range set.changes {
		w := wrapped{"Resource", resourceChange{Action: c.action, LogicalResourceId: c.name, ResourceType: c.typ, Replacement: c.replacement}}
		for _, p := range c.properties {
			t := target{Attribute: "Properties", Name: p.name, Path: "/Properties/" + p.name, RequiresRecreation: "Never", BeforeValue: p.before, AfterValue: p.after}
			if p.recreates {
				t.RequiresRecreation = "Always"
			}
			w.ResourceChange.Details.Member = append(w.ResourceChange.Details.Member, detail{t})
		}
		out.Changes.Member = append(out.Changes.Member, w)
	}
	return out, nil
}

type empty struct{ XMLName xml.Name }

func (s *Server) deleteChangeSet(r *http.Request) (any, *fault) {
	one, set, err := s.changeSet(r)
	if err == nil {
		one.sets = slices.DeleteFunc(one.sets, func(c *changeSet) bool { return c == set })
	}
	return empty{xml.Name{Local: "DeleteChangeSetResult"}}, err
}

func (s *Server) executeChangeSet(r *http.Request) (any, *fault) {
	one, set, err := s.changeSet(r)
	if err != nil {
		return nil, err
	}
	one.sets = nil
	one.create(time.Now(), set.next, set.kind)
	return empty{xml.Name{Local: "ExecuteChangeSetResult"}}, nil
}

// pageSize is small, so that tests meet several pages.
const pageSize = 7

func (s *Server) describeStackEvents(r *http.Request) (any, *fault) {
	one, err := s.find(r)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(one.events)
	slices.Reverse(all)
	from := max(0, slices.IndexFunc(all, func(e event) bool { return e.EventId == r.Form.Get("NextToken") }))
	out := struct {
		XMLName     xml.Name `xml:"DescribeStackEventsResult"`
		NextToken   string   `xml:",omitempty"`
		StackEvents member[event]
	}{}
	all = all[from:]
	if len(all) > pageSize {
		out.NextToken = all[pageSize].EventId
		all = all[:pageSize]
	}
	out.StackEvents.Member = all
	return out, nil
}

func (s *Server) deleteStack(r *http.Request) (any, *fault) {
	one, err := s.find(r)
	switch {
	case err != nil: // AWS accepts it
	case one.protected:
		return nil, invalid("Stack [%s] cannot be deleted while TerminationProtection is enabled", one.name)
	case one.status == "REVIEW_IN_PROGRESS":
		one.happened(time.Now(), one.name, stackType, "DELETE_COMPLETE", "")
	case one.status != "DELETE_COMPLETE" && one.status != "DELETE_IN_PROGRESS":
		one.remove(time.Now())
	}
	return empty{xml.Name{Local: "DeleteStackResult"}}, nil
}

func (s *Server) protect(r *http.Request) (any, *fault) {
	one, err := s.find(r)
	if err != nil {
		return nil, err
	}
	one.protected = r.Form.Get("EnableTerminationProtection") == "true"
	return struct {
		XMLName xml.Name `xml:"UpdateTerminationProtectionResult"`
		StackId string
	}{StackId: one.id}, nil
}
