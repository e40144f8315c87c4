package main

import (
	"context"
	"os"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/internal/testcluster"
	"pipec.dev/pipec/runtime/store"
	names "pipec.dev/pipec/schema/kube"
)

// world is a namespace of the test cluster, and a store for its run.
type world struct {
	bench     *testcluster.Bench
	admin     *rest.Config
	api       kubernetes.Interface // with the rights of the administrator, whose requests have no priority level
	namespace string
	levels    map[string]string // the names of priority levels, by UID
	store     *store.Local
	dir       string
}

func newWorld(ctx context.Context) (_ *world, err error) {
	b, err := testcluster.NewBench(ctx, nil)
	if err != nil {
		return nil, err
	}
	w := &world{bench: b, admin: b.Config, api: b.API, namespace: b.Namespace, levels: map[string]string{}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	levels, err := w.api.FlowcontrolV1().PriorityLevelConfigurations().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for i := range levels.Items {
		w.levels[string(levels.Items[i].UID)] = levels.Items[i].Name
	}
	if err = w.permit(ctx); err != nil {
		return nil, err
	}
	one := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "one"}, Data: map[string]string{"a": "b"}}
	if _, err = w.api.CoreV1().ConfigMaps(w.namespace).Create(ctx, one, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	if w.dir, err = os.MkdirTemp("", "pipec-bench-"); err != nil {
		return nil, err
	}
	w.store, err = store.OpenLocal(w.dir)
	return w, err
}

// close leaves nothing behind.
func (w *world) close() {
	if w.store != nil {
		_ = w.store.Close()
	}
	_ = os.RemoveAll(w.dir)
	w.bench.Close()
}

// permit creates the service account of the pods, and gives all users the rights that they need in the namespace.
func (w *world) permit(ctx context.Context) error {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: names.StepsName(pipeline)}}
	if _, err := w.api.CoreV1().ServiceAccounts(w.namespace).Create(ctx, account, metav1.CreateOptions{}); err != nil {
		return err
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "bench"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"pods", "pods/log", "events", "configmaps"}, Verbs: []string{"get", "list", "watch", "create", "delete"}},
		{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: []string{"get", "list", "watch"}},
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"get", "list", "watch", "create", "update", "delete"}},
	}}
	if _, err := w.api.RbacV1().Roles(w.namespace).Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return err
	}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "bench"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "bench"}}
	for _, u := range append(w.users(), w.coordinator()) {
		binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: u.name})
	}
	_, err := w.api.RbacV1().RoleBindings(w.namespace).Create(ctx, binding, metav1.CreateOptions{})
	return err
}

// users are those who send few requests: a person, and a controller whose requests have the same priority as the coordinator's.
func (w *world) users() []user {
	return []user{
		{"a person", "alice", []string{"system:authenticated"}},
		w.account("a controller", "controller"),
	}
}

// coordinator is the service account of the coordinator.
func (w *world) coordinator() user { return w.account("the coordinator", "pipec-coordinator") }

func (w *world) account(what, name string) user {
	return user{what, "system:serviceaccount:" + w.namespace + ":" + name, []string{
		"system:serviceaccounts", "system:serviceaccounts:" + w.namespace, "system:authenticated",
	}}
}
