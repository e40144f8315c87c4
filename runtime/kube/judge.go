package kube

import (
	"errors"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"pipec.dev/pipec/runtime/kube/podstate"
	"pipec.dev/pipec/runtime/kube/requests"
)

// rejection is the reason why the pod can't be created.
type rejection struct{ reason, message string }

func (r *rejection) Error() string { return r.message }

// judge decides which errors of the requests to create a pod are final. Objects that the namespace lacks may be added, rights
// may be granted, and a server that is unreachable or busy may recover. For each of these there is a limit.
type judge struct {
	maybe   bool                        // a request that failed may have been obeyed
	failing time.Time                   // when the server began to fail without naming a cause
	denied  time.Time                   // when the server began to deny the creation
	since   map[podstate.Kind]time.Time // when the namespace was first found to lack something of this kind
	warned  bool
}

// judge returns why the pod can't be created; nil: the request is to be repeated.
func (j *judge) judge(m *maker, err error) error {
	message, name := err.Error(), m.a.name
	lack := podstate.Forbidden(message)
	switch {
	case apierrors.IsForbidden(err) && lack != nil:
		return j.lacks(m, lack.Kind, message)
	case rejected(err, name):
		return &rejection{ReasonRejected, "the cluster doesn't accept its pod: " + message}
	case requests.Denied(err):
		return j.refused(m, err)
	}
	j.denied, j.maybe = time.Time{}, j.maybe || mayBeObeyed(err)
	return j.fails(m, err)
}

// rejected reports whether the cluster will never accept this pod. A message that forbids the pod by its name comes from an
// admission plugin. A message about missing rights names the coordinator's user instead.
func rejected(err error, name string) bool {
	text := err.Error()
	if apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) || strings.Contains(text, "because it is being terminated") {
		return false
	}
	return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsMethodNotSupported(err) ||
		apierrors.IsForbidden(err) && (strings.Contains(text, fmt.Sprintf("%q is forbidden", name)) || strings.Contains(text, "denied the request") || strings.Contains(text, "denied request"))
}

// mayBeObeyed reports whether a request may have been obeyed although there is an error.
func mayBeObeyed(err error) bool {
	var s apierrors.APIStatus
	return !errors.As(err, &s) || s.Status().Code >= 500
}

// refused waits for rights, for a while.
func (j *judge) refused(m *maker, err error) error {
	if j.denied.IsZero() {
		j.denied = time.Now()
	}
	if waited := time.Since(j.denied); waited >= requests.DeniedGrace {
		return fmt.Errorf("it has had no right to do that for %s: %w", waited.Round(time.Second), err)
	}
	j.warn(m, "its pod can't be created yet: "+err.Error())
	return nil
}

// fails waits for a server that works, as long as a pod may wait for its start.
func (j *judge) fails(m *maker, err error) error {
	if j.failing.IsZero() {
		j.failing = time.Now()
	}
	if waited := time.Since(j.failing); waited >= podstate.Starting.Grace(m.a.spec.Def.PendingTimeout.D()) {
		return fmt.Errorf("the API server has failed for %s: %w", waited.Round(time.Second), err)
	}
	j.warn(m, "its pod can't be created yet: "+err.Error())
	return nil
}

// lacks waits for something that the namespace lacks, for a while.
func (j *judge) lacks(m *maker, kind podstate.Kind, message string) error {
	j.failing, j.denied = time.Time{}, time.Time{}
	if j.since == nil {
		j.since = map[podstate.Kind]time.Time{}
	}
	if j.since[kind].IsZero() {
		j.since[kind] = time.Now()
		m.a.d.warn(m.a.id.Step, "its pod has to wait: "+message)
	}
	grace := kind.Grace(m.a.spec.Def.PendingTimeout.D())
	if waited := time.Since(j.since[kind]); waited >= grace {
		return &rejection{kind.EndReason(), fmt.Sprintf("its pod could not be created for %s: %s", waited.Round(time.Second), message)}
	}
	return nil
}

// wait reports that the pod has to wait for the coordinator's Lease.
func (j *judge) wait(m *maker) {
	if closed, err := m.a.d.fence.closed(); closed && err != nil {
		j.warn(m, "its pod can't be created before the coordinator's Lease is renewed: "+err.Error())
	}
}

// warn warns once.
func (j *judge) warn(m *maker, text string) {
	if !j.warned {
		j.warned = true
		m.a.d.warn(m.a.id.Step, text)
	}
}
