// Package kubeclient is the part of the Kubernetes API that runs on a cluster need: pods with their logs and events, Jobs,
// CronJobs and Leases. The coordinator uses it from within the cluster, and the command line from outside. It is a
// rest.RESTClient with its own scheme: the full clientset would make the agent half as large again.
//
// It decides nothing: what an error means is the caller's business.
package kubeclient

import (
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// Client talks to one namespace of a cluster. It is safe for concurrent use.
type Client struct {
	core, batch, coordination *rest.RESTClient

	params    runtime.ParameterCodec
	namespace string
}

// InCluster returns a client of the cluster that this process runs in, with the pod's service account.
func InCluster(namespace string) (*Client, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	config.UserAgent = "pipec-agent"
	return New(config, namespace)
}

// protobuf has half the size of JSON, and is decoded in a fifth of the time.
const protobuf = "application/vnd.kubernetes.protobuf"

// New returns a client of a namespace of the cluster that config leads to. It sends nothing yet.
func New(config *rest.Config, namespace string) (*Client, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Pod{}, &corev1.PodList{}, &corev1.PodLogOptions{}, &corev1.Event{}, &corev1.EventList{})
	scheme.AddKnownTypes(batchv1.SchemeGroupVersion, &batchv1.Job{}, &batchv1.JobList{}, &batchv1.CronJob{})
	scheme.AddKnownTypes(coordinationv1.SchemeGroupVersion, &coordinationv1.Lease{}, &coordinationv1.LeaseList{})
	for _, gv := range []schema.GroupVersion{corev1.SchemeGroupVersion, batchv1.SchemeGroupVersion, coordinationv1.SchemeGroupVersion} {
		metav1.AddToGroupVersion(scheme, gv)
	}
	codecs := serializer.NewCodecFactory(scheme).WithoutConversion()
	c := &Client{params: runtime.NewParameterCodec(scheme), namespace: namespace}
	for _, group := range []struct {
		client **rest.RESTClient
		path   string
		gv     schema.GroupVersion
	}{
		{&c.core, "/api", corev1.SchemeGroupVersion},
		{&c.batch, "/apis", batchv1.SchemeGroupVersion},
		{&c.coordination, "/apis", coordinationv1.SchemeGroupVersion},
	} {
		own := rest.CopyConfig(config)
		own.APIPath, own.GroupVersion, own.NegotiatedSerializer = group.path, &group.gv, codecs
		own.ContentType, own.AcceptContentTypes = protobuf, protobuf+",application/json"
		own.QPS = -1 // the server knows better than a counter here what it can take: a run of 200 steps has 200 logs
		client, err := rest.RESTClientFor(own)
		if err != nil {
			return nil, err
		}
		*group.client = client
	}
	return c, nil
}
