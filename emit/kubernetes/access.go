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
	return account(p, kube.CoordinatorName(p.Pipeline), p.Target.Store.Role, set)
}

// stepsAccount returns the service account of the steps, which has no permissions.
func stepsAccount(p *program.Program, set *kinds.Set) *corev1.ServiceAccount {
	return account(p, kube.StepsName(p.Pipeline), p.Target.Store.ForSteps().Role, set)
}

// account returns a service account. If the kind of the store has an annotation for a role, the account has the role.
func account(p *program.Program, name, role string, set *kinds.Set) *corev1.ServiceAccount {
	out := &corev1.ServiceAccount{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"}, ObjectMeta: meta(p, name)}
	if row := set.Store(p.Target.Store.Kind); row != nil && row.RoleAnnotation != "" && role != "" {
		out.Annotations[row.RoleAnnotation] = role
	}
	no := false
	out.AutomountServiceAccountToken = &no // pods that need a token request it
	return out
}

// role returns the permissions of the coordinator in its namespace. Permissions can't be limited to pods with a label,
// nor to a Job whose name isn't known yet. A user who can create pods controls the namespace, so the namespace is the
// trust boundary.
func role(p *program.Program) *rbacv1.Role {
	var rules []rbacv1.PolicyRule
	for _, r := range kube.CoordinatorRights(p.Grouped()) {
		rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{r.Group}, Resources: []string{r.Resource}, Verbs: r.Verbs})
	}
	return &rbacv1.Role{
		TypeMeta:   metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "Role"},
		ObjectMeta: meta(p, kube.CoordinatorName(p.Pipeline)),
		Rules:      rules,
	}
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
