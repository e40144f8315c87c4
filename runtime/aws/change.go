package aws

import (
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Action is what is done with a resource.
type Action string

// The actions. Import takes over a resource that exists already.
const (
	Add     Action = "add"
	Modify  Action = "modify"
	Replace Action = "replace"
	Remove  Action = "remove"
	Import  Action = "import"
	Keep    Action = "keep" // it leaves the stack and is not deleted
)

// Change is the change of one resource.
type Change struct {
	Action     Action     `json:"action"`
	Maybe      bool       `json:"maybe,omitempty"` // of Replace: CloudFormation decides when it makes the change
	Resource   string     `json:"resource"`        // its logical name
	Type       string     `json:"type"`
	ID         string     `json:"id,omitempty"` // its physical ID, if it exists
	Properties []Property `json:"properties,omitempty"`
}

// Property is the change of one property.
type Property struct {
	Path    string `json:"path"`
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
	Replace bool   `json:"replace,omitempty"` // it is why the resource is replaced
}

func change(r *types.ResourceChange) Change {
	out := Change{Resource: sdk.ToString(r.LogicalResourceId), Type: sdk.ToString(r.ResourceType), ID: sdk.ToString(r.PhysicalResourceId)}
	switch {
	case r.Action == types.ChangeActionAdd:
		out.Action = Add
	case r.Action == types.ChangeActionImport:
		out.Action = Import
	case r.Action == types.ChangeActionRemove && r.PolicyAction == types.PolicyActionRetain:
		out.Action = Keep
	case r.Action == types.ChangeActionRemove:
		out.Action = Remove
	case r.Replacement == types.ReplacementTrue:
		out.Action = Replace
	case r.Replacement == types.ReplacementConditional:
		out.Action, out.Maybe = Replace, true
	default:
		out.Action = Modify
	}
	for _, d := range r.Details {
		t := d.Target
		if t == nil {
			continue
		}
		p := Property{Path: sdk.ToString(t.Path), Before: sdk.ToString(t.BeforeValue), After: sdk.ToString(t.AfterValue)}
		p.Path = strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(p.Path, "/Properties"), "/"), "/", ".")
		if p.Path == "" {
			p.Path = sdk.ToString(t.Name)
		}
		if p.Path == "" {
			p.Path = string(t.Attribute)
		}
		p.Replace = t.RequiresRecreation == types.RequiresRecreationAlways
		i := slices.IndexFunc(out.Properties, func(known Property) bool { return known.Path == p.Path })
		if i < 0 {
			out.Properties = append(out.Properties, p)
			continue
		}
		// A property has several details if it has several causes.
		known := &out.Properties[i]
		known.Replace = known.Replace || p.Replace
		if known.Before == "" && known.After == "" {
			known.Before, known.After = p.Before, p.After
		}
	}
	slices.SortFunc(out.Properties, func(a, b Property) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// Destroys reports whether the change deletes a resource.
func (c Change) Destroys() bool { return c.Action == Replace || c.Action == Remove }

func sortChanges(changes []Change) {
	slices.SortFunc(changes, func(a, b Change) int { return strings.Compare(a.Resource, b.Resource) })
}
