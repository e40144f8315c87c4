package kubernetes

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/schema/kinds"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

func meta(p *program.Program, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: p.Target.Namespace,
		Labels: pod.Labels(p, kube.ComponentDefinition), Annotations: pod.Annotations(p),
	}
}

func namespace(p *program.Program) *corev1.Namespace {
	return &corev1.Namespace{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{Name: p.Target.Namespace},
	}
}

func coordinatorAccount(p *program.Program, set *kinds.Set) *corev1.ServiceAccount {
	return account(p, kube.CoordinatorName(p.Pipeline), set)
}

// stepsAccount has no rights at all.
func stepsAccount(p *program.Program, set *kinds.Set) *corev1.ServiceAccount {
	return account(p, kube.StepsName(p.Pipeline), set)
}

// account carries the role of the store, by the annotation that the store's kind has for that.
func account(p *program.Program, name string, set *kinds.Set) *corev1.ServiceAccount {
	out := &corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: meta(p, name)}
	if row := set.Store(p.Target.Store.Kind); row != nil && row.RoleAnnotation != "" && p.Target.Store.Role != "" {
		out.Annotations[row.RoleAnnotation] = p.Target.Store.Role
	}
	no := false
	out.AutomountServiceAccountToken = &no // pods that need a token say so
	return out
}

// role is what the coordinator may do, in its namespace alone. Rights can't be had for pods of a label, nor for a Job
// whose name isn't known yet: whoever may create pods has the namespace, and the namespace is the trust boundary.
func role(p *program.Program) *rbacv1.Role {
	return &rbacv1.Role{
		TypeMeta:   metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "Role"},
		ObjectMeta: meta(p, kube.CoordinatorName(p.Pipeline)),
		Rules: []rbacv1.PolicyRule{
			// patch: why a pod is deleted is written on it before, so that a coordinator that takes over knows.
			{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"create", "delete", "get", "list", "patch", "watch"}},
			// the end of a log that the agent could not store
			{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"}},
			// its own Job, which carries what it is asked: a watch of one object is a list and a watch by its name
			{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: []string{"get", "list", "watch"}},
			{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: leaseVerbs(p)},
		},
	}
}

// leaseVerbs are for the Lease of the run; and, where steps are in concurrency groups, for those of the groups, which are
// watched, and removed when nobody is in them.
func leaseVerbs(p *program.Program) []string {
	if p.Grouped() {
		return []string{"create", "delete", "get", "list", "update", "watch"}
	}
	return []string{"create", "get", "update"}
}

func roleBinding(p *program.Program) *rbacv1.RoleBinding {
	name := kube.CoordinatorName(p.Pipeline)
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "RoleBinding"},
		ObjectMeta: meta(p, name),
		RoleRef:    rbacv1.RoleRef{APIGroup: "rbac.authorization.k8s.io", Kind: "Role", Name: name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Name: name, Namespace: p.Target.Namespace}},
	}
}
