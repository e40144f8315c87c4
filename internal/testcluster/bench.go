package testcluster

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Bench is a namespace of the test cluster for a program that measures and is not a test.
type Bench struct {
	Cluster   Cluster
	Config    *rest.Config // of the administrator, without a limit of requests
	API       kubernetes.Interface
	Namespace string
}

// NewBench creates a namespace with labels in the test cluster of the environment. The caller must call Close.
func NewBench(ctx context.Context, labels map[string]string) (*Bench, error) {
	c, ok := Find()
	if !ok {
		return nil, errors.New(`the measurement requires the test cluster: make cluster-up, then eval "$(make -s cluster-env)"`)
	}
	b := &Bench{Cluster: c}
	var err error
	if b.Config, err = clientcmd.BuildConfigFromFlags("", c.Kubeconfig); err != nil {
		return nil, err
	}
	b.Config.QPS = -1
	if b.API, err = kubernetes.NewForConfig(b.Config); err != nil {
		return nil, err
	}
	ns, err := b.API.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-", Labels: labels}}, metav1.CreateOptions{})
	if err != nil {
		return nil, err
	}
	b.Namespace = ns.Name
	return b, nil
}

// Close deletes the namespace, in the background.
func (b *Bench) Close() {
	_ = b.API.CoreV1().Namespaces().Delete(context.Background(), b.Namespace, metav1.DeleteOptions{})
}
