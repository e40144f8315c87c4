package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/runtime/cluster/connect"
	"pipec.dev/pipec/schema/kube"
)

// planner compares objects concurrently. Each comparison writes to its own index of the slices.
type planner struct {
	*client
	Options
	changes []Change
	live    []*unstructured.Unstructured
}

// compare finds out what applying would change in one object.
func (p *planner) compare(ctx context.Context, i int) error {
	want := &p.Objects[i]
	live, err := p.get(ctx, kindOf(want.GetKind()), want.GetName())
	if err != nil {
		return err
	}
	ctx, collected := withWarnings(ctx)
	ch := Change{Kind: want.GetKind(), Name: want.GetName(), Pipeline: pipelineOf(want), desired: want}
	if live != nil {
		if err := p.ours(live); err != nil {
			return err
		}
		if live.GetDeletionTimestamp() != nil {
			return &connect.Error{Reason: connect.Terminating, Text: fmt.Sprintf("%s %q is being deleted", want.GetKind(), want.GetName()), Hint: "Wait until it is gone."}
		}
		p.live[i] = live
		ch.Live = liveOf(live)
		ch.desired = sameProgram(want, live)
	}
	after, err := p.client.apply(ctx, ch.desired, true, p.Force)
	if found := conflicts(err); len(found) > 0 {
		ch.Conflicts = found
		after, err = p.client.apply(ctx, ch.desired, true, true) // the result if the fields were taken over
	}
	switch {
	case err != nil && live != nil && immutable(err):
		ch.Action, ch.all = Replace, fields(want, clean(live.Object), clean(want.Object))
	case err != nil:
		return p.about(want, err)
	case live == nil:
		ch.Action, ch.all = Create, fields(want, nil, clean(want.Object))
	default:
		ch.all = fields(want, clean(live.Object), clean(after.Object))
		ch.Action = Update
		if changed(ch.all) == nil {
			ch.Action = Unchanged
		}
	}
	ch.Fields = changed(ch.all)
	ch.Warnings = collected.list
	p.changes[i] = ch
	return nil
}

// about explains the API server's error about an object, and adds the object's name if the explanation lacks it.
func (c *client) about(u *unstructured.Unstructured, err error) error {
	err = c.cluster.Explain(err)
	var e *connect.Error
	if !errors.As(err, &e) {
		return fmt.Errorf("%s %q: %w", u.GetKind(), u.GetName(), err)
	}
	switch e.Reason {
	case connect.Unreachable, connect.Unauthorized, connect.NoPlugin, connect.NoNamespace, connect.Terminating:
		return err
	}
	out := *e
	if !strings.Contains(e.Text, u.GetName()) {
		out.Text = fmt.Sprintf("%s %q: %s", u.GetKind(), u.GetName(), e.Text)
	}
	return &out
}

// ours rejects an object that belongs to another project, or that pipec did not create.
func (p *planner) ours(live *unstructured.Unstructured) error {
	what := fmt.Sprintf("%s %q in namespace %q", live.GetKind(), live.GetName(), p.namespace)
	labels := live.GetLabels()
	if labels[kube.LabelManagedBy] != kube.Manager {
		e := &connect.Error{Reason: connect.Conflict, Text: what + " already exists, and was not created by pipec",
			Hint: fmt.Sprintf("Rename the pipeline or choose another namespace. To let pipec manage the object: kubectl label -n %s %s %s %s=%s --overwrite", p.namespace, strings.ToLower(live.GetKind()), live.GetName(), kube.LabelManagedBy, kube.Manager)}
		if by := labels[kube.LabelManagedBy]; by != "" {
			e.Text += ", but by " + by
		}
		return e
	}
	if other := labels[kube.LabelProject]; other != "" && other != kube.LabelValue(p.Project) {
		if name := live.GetAnnotations()[kube.AnnotationProject]; name != "" {
			other = name
		}
		mine := "this project has no name"
		if p.Project != "" {
			mine = fmt.Sprintf("this project is %q", p.Project)
		}
		return &connect.Error{Reason: connect.Conflict, Text: fmt.Sprintf("%s belongs to project %q, and %s", what, other, mine),
			Hint: "Rename the pipeline, or choose another namespace: two projects can't have pipelines of the same name in one namespace."}
	}
	return nil
}

// conflicts returns the fields for which an apply was rejected.
func conflicts(err error) []Conflict {
	var status apierrors.APIStatus
	if !apierrors.IsConflict(err) || !errors.As(err, &status) || status.Status().Details == nil {
		return nil
	}
	var out []Conflict
	for _, cause := range status.Status().Details.Causes {
		if cause.Type != metav1.CauseTypeFieldManagerConflict {
			continue
		}
		c := Conflict{Field: strings.TrimPrefix(cause.Field, "."), Manager: cause.Message}
		if m := managerName.FindStringSubmatch(cause.Message); m != nil {
			c.Manager = m[1]
		}
		out = append(out, c)
	}
	return out
}

var managerName = regexp.MustCompile(`"([^"]+)"`)

// immutable reports whether an object was rejected only because immutable fields changed.
func immutable(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsInvalid(err) || !errors.As(err, &status) || status.Status().Details == nil || len(status.Status().Details.Causes) == 0 {
		return false
	}
	return !slices.ContainsFunc(status.Status().Details.Causes, func(c metav1.StatusCause) bool {
		return !strings.Contains(c.Message, "immutable") && !strings.Contains(c.Message, "cannot change roleRef")
	})
}

// clean returns an object without the fields that the cluster sets and without managed fields.
func clean(object map[string]any) map[string]any {
	out := (&unstructured.Unstructured{Object: object}).DeepCopy().Object
	delete(out, "status")
	meta, _ := out["metadata"].(map[string]any)
	for _, field := range []string{"managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers"} {
		delete(meta, field)
	}
	if annotations, ok := meta["annotations"].(map[string]any); ok {
		delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
		if len(annotations) == 0 {
			delete(meta, "annotations")
		}
	}
	return out
}

func liveOf(u *unstructured.Unstructured) *Live {
	data, _ := json.Marshal(clean(u.Object)) // never fails: it was decoded from JSON
	sum := sha256.Sum256(data)
	return &Live{UID: string(u.GetUID()), Digest: "sha256:" + hex.EncodeToString(sum[:])}
}
