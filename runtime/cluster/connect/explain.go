package connect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Explain explains an error of this cluster, like the function Explain, and adds the cluster's address and context.
func (c *Connection) Explain(err error) error {
	err = Explain(err)
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Reason {
	case Unreachable:
		return &Error{e.Reason, fmt.Sprintf("the cluster of context %s at %s can't be reached: %s", quote(c.Context), c.Host, e.Text), e.Hint, e.Err}
	case Unauthorized, NoPlugin:
		if c.EKS != nil {
			e = c.EKS.explain(e)
		}
		return &Error{e.Reason, fmt.Sprintf("context %s (%s): %s", quote(c.Context), c.Host, e.Text), e.Hint, e.Err}
	}
	return err
}

// Explain converts an error of client-go to an *Error. It returns unknown errors, cancelled contexts, *Error and nil
// unchanged.
func Explain(err error) error {
	var known *Error
	if err == nil || errors.As(err, &known) || errors.Is(err, context.Canceled) {
		return err
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return explainStatus(status.Status(), err)
	}
	if text := err.Error(); strings.Contains(text, "getting credentials: ") {
		_, text, _ = strings.Cut(text, "getting credentials: ")
		return explainPlugin(text, err)
	}
	if text := network(err); text != "" {
		return &Error{Unreachable, text, hintOfNetwork(err), err}
	}
	return err
}

// explainPlugin explains a failure of the kubeconfig's credential plugin.
func explainPlugin(text string, err error) error {
	e := &Error{Reason: NoPlugin, Err: err}
	if m := missingPlugin.FindStringSubmatch(text); m != nil {
		e.Text = "the kubeconfig gets its credentials from " + quote(m[1]) + ", which is not installed"
		e.Hint = "Install it, and make sure that it is in PATH."
		return e
	}
	e.Text = "no credentials: " + oneLine(text)
	e.Hint = "Its own output is above. Usually you have to log in again."
	return e
}

var missingPlugin = regexp.MustCompile(`exec: executable (\S+) not found`)

// Messages of Forbidden errors. Each belongs to another problem, but all have the same reason.
var (
	noRight  = regexp.MustCompile(`User "([^"]*)" cannot (\S+) (resource|path) "([^"]*)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?`)
	quotaFul = regexp.MustCompile(`exceeded quota: ([^,]+), requested: (.+), used: (.+), limited: (.+)$`)
	ending   = regexp.MustCompile(`in namespace (\S+) because it is being terminated`)
	security = regexp.MustCompile(`violates PodSecurity "([^"]+)": (.*)$`)
	denied   = regexp.MustCompile(`denied (?:the )?request`)
	calling  = regexp.MustCompile(`failed calling webhook "([^"]+)": (.*)$`)
)

const grant = "is attempting to grant RBAC permissions not currently held:"

func explainStatus(s metav1.Status, err error) error {
	e := &Error{Text: oneLine(s.Message), Err: err}
	switch {
	case s.Reason == metav1.StatusReasonUnauthorized || s.Code == http.StatusUnauthorized:
		e.Reason, e.Text = Unauthorized, "the API server does not accept the credentials: they are wrong, or have expired"
		e.Hint = "Log in again, or generate the kubeconfig's user again."
	case denied.MatchString(s.Message): // by a webhook or a policy, with any code
		e.Reason, e.Hint = Denied, "This is a rule of the cluster; ask its administrator."
	case calling.MatchString(s.Message):
		m := calling.FindStringSubmatch(e.Text)
		e.Reason, e.Text = Denied, fmt.Sprintf("the cluster's admission webhook %s does not respond: %s", quote(m[1]), m[2])
		e.Hint = "No object is accepted until it responds; ask the cluster's administrator."
	case s.Reason == metav1.StatusReasonForbidden:
		e.forbidden(s)
	case s.Reason == metav1.StatusReasonNotFound:
		e.notFound(s)
	case s.Reason == metav1.StatusReasonConflict || s.Reason == metav1.StatusReasonAlreadyExists:
		e.Reason = Conflict
	case s.Reason == metav1.StatusReasonInvalid || s.Reason == metav1.StatusReasonBadRequest || s.Reason == metav1.StatusReasonRequestEntityTooLarge:
		e.Reason = Invalid
	case s.Reason == metav1.StatusReasonTooManyRequests || s.Reason == metav1.StatusReasonServerTimeout || s.Reason == metav1.StatusReasonTimeout || s.Reason == metav1.StatusReasonServiceUnavailable:
		e.Reason, e.Text = Busy, "the API server is busy and asks to retry later: "+e.Text
	case s.Code >= 500:
		e.Reason, e.Text = Busy, "the API server failed: "+e.Text
	default:
		return err
	}
	return e
}

// forbidden distinguishes the problems that are reported as Forbidden.
func (e *Error) forbidden(s metav1.Status) {
	e.Reason = Forbidden
	if m := quotaFul.FindStringSubmatch(e.Text); m != nil {
		e.Reason = Quota
		e.Text = fmt.Sprintf("%s needs %s, but quota %s is exhausted: used %s of %s", object(s), m[2], quote(m[1]), m[3], m[4])
		e.Hint = "Free some of the quota, or ask for a larger ResourceQuota."
		return
	}
	if m := ending.FindStringSubmatch(e.Text); m != nil {
		e.Reason, e.Text = Terminating, "namespace "+quote(m[1])+" is being deleted: nothing new can be created in it"
		e.Hint = "Wait until it is gone."
		return
	}
	if m := security.FindStringSubmatch(e.Text); m != nil {
		e.Reason, e.Text = Denied, fmt.Sprintf("%s violates the namespace's Pod Security level %s: %s", object(s), quote(m[1]), m[2])
		return
	}
	if i := strings.Index(e.Text, grant); i >= 0 {
		e.Text = object(s) + " would grant permissions that you don't have: " + strings.TrimSpace(e.Text[i+len(grant):])
		e.Hint = "Kubernetes only lets you grant permissions that you have: ask for these permissions, or for the verbs bind and escalate on roles."
		return
	}
	m := noRight.FindStringSubmatch(e.Text)
	if m == nil {
		return
	}
	user, verb, what, group, namespace := m[1], m[2], m[4], m[5], m[6]
	if group != "" {
		what += "." + group
	}
	e.Text = fmt.Sprintf("%s may not %s %s", quote(user), verb, what)
	if s.Details != nil && s.Details.Name != "" && !strings.Contains(what, "/") {
		e.Text += " " + quote(s.Details.Name)
	}
	if namespace != "" {
		e.Text += " in namespace " + quote(namespace)
		e.Hint = fmt.Sprintf("Grant it with a Role in that namespace; `kubectl auth can-i %s %s -n %s` checks it.", verb, what, namespace)
	} else if m[3] == "resource" {
		e.Text += " of the cluster"
		e.Hint = "Grant it with a ClusterRole."
	}
}

func (e *Error) notFound(s metav1.Status) {
	e.Reason = Gone
	if s.Details != nil && s.Details.Kind == "namespaces" {
		e.Reason, e.Text = NoNamespace, "there is no namespace "+quote(s.Details.Name)
		e.Hint = "Create it (`kubectl create namespace " + s.Details.Name + "`), or set create_namespace = true in the stack's orchestrator."
	}
}

// object describes the object of a status, for example `cronjobs.batch "digits"`.
func object(s metav1.Status) string {
	if s.Details == nil || s.Details.Kind == "" {
		return "the object"
	}
	what := s.Details.Kind
	if s.Details.Group != "" {
		what += "." + s.Details.Group
	}
	if s.Details.Name != "" {
		what += " " + quote(s.Details.Name)
	}
	return what
}
