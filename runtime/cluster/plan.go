package cluster

import (
	"context"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/kube"
)

// Options are the desired objects and their place.
type Options struct {
	Cluster *connect.Connection
	// Project is the project that the applied objects belong to; "" is none, and then nothing is pruned.
	Project string
	// Objects are the definitions, each with the labels of schema/kube.
	Objects []unstructured.Unstructured
	// Prune states that Objects are all objects of the project: its other objects are removed.
	Prune           bool
	CreateNamespace bool
	// Force takes over fields that other managers own.
	Force bool
}

// Action is what applying does with an object.
type Action string

// The actions.
const (
	Create    Action = "create"
	Update    Action = "update"
	Replace   Action = "replace" // delete and create: an immutable field has changed
	Delete    Action = "delete"
	Keep      Action = "keep" // no longer desired, but a live run needs it
	Unchanged Action = "unchanged"
	Write     Action = "apply" // offline: without a comparison
)

// Change is the change of one object.
type Change struct {
	Action   Action `json:"action"`
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Pipeline string `json:"pipeline,omitempty"`
	// Fields are the values that change; for a new object, all values.
	Fields    []Field    `json:"fields,omitempty"`
	Conflicts []Conflict `json:"conflicts,omitempty"` // fields that other managers own
	Warnings  []string   `json:"warnings,omitempty"`  // of the API server, for example about Pod Security
	Why       string     `json:"why,omitempty"`       // of Keep: the run that needs it
	// Live is the object that it was compared with.
	Live *Live `json:"live,omitempty"`

	desired *unstructured.Unstructured
	all     []Field
}

// All returns the changed and the unchanged fields. Only the changed ones are known if the change comes from a document.
func (c *Change) All() []Field {
	if c.all == nil {
		return c.Fields
	}
	return c.all
}

// Live is the state of an object when a plan was made. If it has changed, the plan is outdated.
type Live struct {
	UID    string `json:"uid"`
	Digest string `json:"digest"` // of everything except what the cluster itself writes
}

// Conflict is a field that another manager has set to another value.
type Conflict struct {
	Field   string `json:"field"`
	Manager string `json:"manager"`
}

// Changes are the changes that applying would make.
type Changes struct {
	List []Change `json:"changes"`
	// Programs are the changes in the compiled pipelines, which ConfigMaps contain compressed.
	Programs []ProgramChange `json:"programs,omitempty"`
}

// Count returns the number of changes with one of these actions.
func (c *Changes) Count(actions ...Action) int {
	n := 0
	for i := range c.List {
		if slices.Contains(actions, c.List[i].Action) {
			n++
		}
	}
	return n
}

// Empty reports whether applying would change nothing.
func (c *Changes) Empty() bool { return c.Count(Create, Update, Replace, Delete) == 0 }

// Conflicts returns the changes to fields that other field managers own.
func (c *Changes) Conflicts() []*Change {
	var out []*Change
	for i := range c.List {
		if len(c.List[i].Conflicts) > 0 {
			out = append(out, &c.List[i])
		}
	}
	return out
}

// Plan compares the desired objects with the live ones. It changes nothing. Its errors come from the cluster, or are a
// *connect.Error with reason Conflict if an object belongs to another project or program.
func Plan(ctx context.Context, o Options) (*Changes, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	c, err := newClient(o.Cluster)
	if err != nil {
		return nil, err
	}
	there, err := c.checkNamespace(ctx)
	if err != nil {
		return nil, err
	}
	if !there {
		return planNew(o)
	}
	p := &planner{client: c, Options: o, changes: make([]Change, len(o.Objects)), live: make([]*unstructured.Unstructured, len(o.Objects))}
	if err := each(ctx, len(o.Objects), p.compare); err != nil {
		return nil, err
	}
	out := &Changes{List: p.changes}
	if o.Prune && o.Project != "" {
		items, err := c.inventory(ctx, o.Project, nil)
		if err != nil {
			return nil, err
		}
		pruned, err := p.prune(ctx, items)
		if err != nil {
			return nil, err
		}
		out.List = append(out.List, pruned...)
	}
	out.Programs, err = p.programs(ctx)
	return out, err
}

// Applied reports whether the desired CronJobs exist and refer to exactly the desired programs: then nothing has to be
// applied before a run. It requires only the permission to get CronJobs.
func Applied(ctx context.Context, o Options) (bool, error) {
	if err := check(o); err != nil {
		return false, err
	}
	c, err := newClient(o.Cluster)
	if err != nil {
		return false, err
	}
	for i := range o.Objects {
		want := &o.Objects[i]
		if want.GetKind() != "CronJob" {
			continue
		}
		live, err := c.get(ctx, kindOf("CronJob"), want.GetName())
		if err != nil || live == nil {
			return false, err
		}
		program := live.GetAnnotations()[kube.AnnotationProgram]
		if program == "" || program != want.GetAnnotations()[kube.AnnotationProgram] || live.GetDeletionTimestamp() != nil ||
			live.GetLabels()[kube.LabelProject] != want.GetLabels()[kube.LabelProject] {
			return false, nil
		}
	}
	return true, nil
}

// check rejects objects that this package can't apply: that is an error of the caller.
func check(o Options) error {
	seen := map[string]bool{}
	for i := range o.Objects {
		u := &o.Objects[i]
		id := u.GetKind() + " " + u.GetName()
		switch {
		case kindOf(u.GetKind()) < 0:
			return fmt.Errorf("%s: objects of this kind are not part of a definition", id)
		case u.GetNamespace() != "" && u.GetNamespace() != o.Cluster.Namespace:
			return fmt.Errorf("%s is for namespace %q, but the stack's namespace is %q", id, u.GetNamespace(), o.Cluster.Namespace)
		case u.GetLabels()[kube.LabelManagedBy] != kube.Manager:
			return fmt.Errorf("%s has no label %s=%s", id, kube.LabelManagedBy, kube.Manager)
		case seen[id]:
			return fmt.Errorf("%s appears twice", id)
		}
		seen[id] = true
	}
	slices.SortStableFunc(o.Objects, func(a, b unstructured.Unstructured) int { return kindOf(a.GetKind()) - kindOf(b.GetKind()) })
	return nil
}

// planNew returns the plan for a namespace that does not exist, in which no dry run is possible.
func planNew(o Options) (*Changes, error) {
	if !o.CreateNamespace {
		return nil, noNamespace(o.Cluster.Namespace)
	}
	out := &Changes{List: []Change{{Action: Create, Kind: "Namespace", Name: o.Cluster.Namespace}}}
	for i := range o.Objects {
		out.List = append(out.List, created(&o.Objects[i], Create))
	}
	return out, nil
}

func noNamespace(name string) error {
	return &connect.Error{Reason: connect.NoNamespace, Text: fmt.Sprintf("there is no namespace %q", name),
		Hint: fmt.Sprintf("Create it (`kubectl create namespace %s`), or set create_namespace = true in the stack's orchestrator.", name)}
}

// Offline returns a plan without a comparison: all objects are written.
func Offline(o Options) (*Changes, error) {
	if err := check(o); err != nil {
		return nil, err
	}
	out := &Changes{}
	for i := range o.Objects {
		out.List = append(out.List, created(&o.Objects[i], Write))
	}
	return out, nil
}

func created(u *unstructured.Unstructured, action Action) Change {
	all := fields(u, nil, clean(u.Object))
	return Change{Action: action, Kind: u.GetKind(), Name: u.GetName(), Pipeline: pipelineOf(u), desired: u, Fields: all, all: all}
}

// pipelineOf returns the full name of an object's pipeline, even if the label contains a shortened one.
func pipelineOf(u metaObject) string {
	if name := u.GetAnnotations()[kube.AnnotationPipeline]; name != "" {
		return name
	}
	return u.GetLabels()[kube.LabelPipeline]
}

type metaObject interface {
	GetName() string
	GetLabels() map[string]string
	GetAnnotations() map[string]string
}
