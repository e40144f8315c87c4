package kubetest

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// The errors of this file have the texts and details of the real API server: test/faults/real compares them.

// groups are the API groups of resources that are not in the core group, and kinds are their kinds.
var (
	groups = map[string]string{"jobs": batchv1.GroupName, "cronjobs": batchv1.GroupName, "leases": coordinationv1.GroupName}
	kinds  = map[string]string{"pods": "Pod", "jobs": "Job", "cronjobs": "CronJob", "leases": "Lease"}
)

func (t target) of() schema.GroupResource {
	return schema.GroupResource{Group: groups[t.resource], Resource: t.resource}
}

// ofKind names the kind where a resource is expected, as the server does in the errors of preconditions.
func (t target) ofKind() schema.GroupResource {
	return schema.GroupResource{Group: groups[t.resource], Resource: kinds[t.resource]}
}

func (t target) kind() schema.GroupKind {
	return schema.GroupKind{Group: groups[t.resource], Kind: kinds[t.resource]}
}

var errModified = errors.New("the object has been modified; please apply your changes to the latest version and try again")

// Failure returns the error with which the real API server answers a request that it doesn't obey. user is the client's name.
func Failure(r *http.Request, code int, user string) *apierrors.StatusError {
	t := targetOf(r)
	switch code {
	case http.StatusUnauthorized:
		e := apierrors.NewUnauthorized("Unauthorized")
		e.ErrStatus.Details = nil
		return e
	case http.StatusForbidden:
		return forbidden(r, t, user)
	case http.StatusConflict:
		return apierrors.NewConflict(t.of(), t.name, errModified)
	case http.StatusUnprocessableEntity:
		return apierrors.NewInvalid(t.kind(), t.name, field.ErrorList{field.Invalid(field.NewPath("spec"), "", "the test says so")})
	case http.StatusTooManyRequests:
		return apierrors.NewTooManyRequests("Too many requests, please try again later.", 1)
	}
	return apierrors.NewGenericServerResponse(code, strings.ToLower(r.Method), t.of(), t.name, "the test says so", 0, true)
}

func forbidden(r *http.Request, t target, user string) *apierrors.StatusError {
	verb := map[string]string{http.MethodPost: "create", http.MethodPut: "update", http.MethodPatch: "patch", http.MethodDelete: "delete", http.MethodGet: "get"}[r.Method]
	switch {
	case isWatch(r):
		verb = "watch"
	case verb == "get" && t.name == "":
		verb = "list"
	}
	resource := t.resource
	if t.sub != "" {
		resource += "/" + t.sub
	}
	why := fmt.Sprintf("User %q cannot %s resource %q in API group %q in the namespace %q", user, verb, resource, groups[t.resource], t.namespace)
	return apierrors.NewForbidden(t.of(), t.name, errors.New(why))
}

// precondition returns why the preconditions of a deletion don't hold.
func precondition(t target, o Object, p *metav1.Preconditions) *apierrors.StatusError {
	switch {
	case p.UID != nil && *p.UID != o.GetUID():
		return apierrors.NewConflict(t.ofKind(), t.name, fmt.Errorf("the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", *p.UID, o.GetUID()))
	case p.ResourceVersion != nil && *p.ResourceVersion != o.GetResourceVersion():
		return apierrors.NewConflict(t.ofKind(), t.name, fmt.Errorf("the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", *p.ResourceVersion, o.GetResourceVersion()))
	}
	return nil
}

// exists returns the error of a creation of an object that exists.
func exists(t target, o Object) *apierrors.StatusError {
	e := apierrors.NewAlreadyExists(t.of(), o.GetName())
	if o.GetDeletionTimestamp() != nil {
		e.ErrStatus.Message = "object is being deleted: " + e.ErrStatus.Message
	}
	return e
}

// terminating returns the error of a creation in a namespace that is being deleted.
func terminating(t target, name string) *apierrors.StatusError {
	e := apierrors.NewForbidden(t.of(), name, fmt.Errorf("unable to create new content in namespace %s because it is being terminated", t.namespace))
	e.ErrStatus.Details.Causes = append(e.ErrStatus.Details.Causes, metav1.StatusCause{
		Type: corev1.NamespaceTerminatingCause, Message: fmt.Sprintf("namespace %s is being terminated", t.namespace), Field: "metadata.namespace",
	})
	return e
}

// fail answers with an error.
func (a *API) fail(r *http.Request, e *apierrors.StatusError) *http.Response {
	s := e.Status()
	s.TypeMeta = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}
	return a.answer(r, int(s.Code), s)
}
