package aws

import (
	"encoding/json"
	"strings"
)

// object is a set of properties. Its values are strings, numbers, bools, objects, lists and the types below.
type object map[string]any

// list is a list of values.
type list []any

// A resource is one resource of a recipe.
type resource struct {
	name       string // its logical name
	kind       string // its type in CloudFormation: AWS::S3::Bucket
	properties object
	after      []string // resources that it needs and doesn't refer to
	retained   bool     // it stays when the stack is deleted
}

// An output is a value of a recipe: a stack reads it as recipe.NAME.
type output struct {
	name  string // in the template: CoordinatorRole for recipe.coordinator_role
	doc   string
	value any
}

// ref is the identifier of a resource.
type ref string

// MarshalJSON writes the reference as CloudFormation reads it.
func (r ref) MarshalJSON() ([]byte, error) { return json.Marshal(map[string]string{"Ref": string(r)}) }

// attribute is an attribute of a resource.
type attribute struct{ resource, name string }

// MarshalJSON writes the reference as CloudFormation reads it.
func (a attribute) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string][]string{"Fn::GetAtt": {a.resource, a.name}})
}

// zone is an availability zone of the region, by its number from 0.
type zone int

// MarshalJSON writes the zone as CloudFormation reads it.
func (z zone) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"Fn::Select": []any{int(z), map[string]string{"Fn::GetAZs": ""}}})
}

// text is text with references: ${NAME} is the identifier of a resource, or one of the pseudo parameters below.
type text string

// The pseudo parameters of CloudFormation that are used.
const (
	account   = "${AWS::AccountId}"
	partition = "${AWS::Partition}"
	region    = "${AWS::Region}"
	suffix    = "${AWS::URLSuffix}"
)

// MarshalJSON writes the text as CloudFormation reads it.
func (t text) MarshalJSON() ([]byte, error) {
	if !strings.Contains(string(t), "${") {
		return json.Marshal(string(t))
	}
	return json.Marshal(map[string]string{"Fn::Sub": string(t)})
}

// document is a value that is JSON within the template: a policy.
type document object

// documentText is a document that CloudFormation expects as text. It has no references.
type documentText object

// MarshalJSON writes the document as text.
func (d documentText) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(object(d))
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(data))
}

// template returns the resource as it is written in a template.
func (r *resource) template() object {
	out := object{"Type": r.kind, "Properties": r.properties}
	if len(r.after) > 0 {
		out["DependsOn"] = r.after
	}
	if r.retained {
		out["DeletionPolicy"], out["UpdateReplacePolicy"] = "RetainExceptOnCreate", "Retain"
	}
	return out
}
