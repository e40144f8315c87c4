// Package client is the little of the Kubernetes API that a coordinator needs: pods and their logs, Jobs, Leases.
// It is rest.RESTClient with a scheme of its own: the full clientset would make the agent half as large again.
//
// It decides nothing: what an error means is for who asked.
package client

import (
	"context"
	"io"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
)

// Client talks to one namespace of a cluster. It is safe for concurrent use.
type Client struct {
	core, batch, coordination *rest.RESTClient

	params    runtime.ParameterCodec
	namespace string
}

// InCluster talks to the cluster that this process runs in, as the pod's service account.
func InCluster(namespace string) (*Client, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, err
	}
	return New(config, namespace)
}

// protobuf is half of JSON's size, and takes a fifth of the time to read.
const protobuf = "application/vnd.kubernetes.protobuf"

// New talks to a namespace of the cluster that config leads to. It sends nothing yet.
func New(config *rest.Config, namespace string) (*Client, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Pod{}, &corev1.PodList{}, &corev1.PodLogOptions{})
	scheme.AddKnownTypes(batchv1.SchemeGroupVersion, &batchv1.Job{}, &batchv1.JobList{})
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
		own.UserAgent = "pipec-agent"
		own.QPS = -1 // the server knows better than a counter here what it can take
		client, err := rest.RESTClientFor(own)
		if err != nil {
			return nil, err
		}
		*group.client = client
	}
	return c, nil
}

// CreatePod makes a pod.
func (c *Client) CreatePod(ctx context.Context, pod *corev1.Pod) (*corev1.Pod, error) {
	var out corev1.Pod
	err := c.core.Post().Namespace(c.namespace).Resource("pods").Body(pod).Do(ctx).Into(&out)
	return &out, err
}

// GetPod reads a pod.
func (c *Client) GetPod(ctx context.Context, name string) (*corev1.Pod, error) {
	var out corev1.Pod
	err := c.core.Get().Namespace(c.namespace).Resource("pods").Name(name).Do(ctx).Into(&out)
	return &out, err
}

// DeletePod asks for the pod with this UID to be ended, as its own grace period allows, and removed. A pod of the same
// name with another UID is left alone: that is a conflict.
func (c *Client) DeletePod(ctx context.Context, name string, uid types.UID) error {
	o := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}
	return c.core.Delete().Namespace(c.namespace).Resource("pods").Name(name).Body(&o).Do(ctx).Error()
}

// ListPods reads the pods that a label selector selects.
func (c *Client) ListPods(ctx context.Context, selector string) ([]corev1.Pod, error) {
	var out corev1.PodList
	err := c.core.Get().Namespace(c.namespace).Resource("pods").VersionedParams(&metav1.ListOptions{LabelSelector: selector}, c.params).Do(ctx).Into(&out)
	return out.Items, err
}

// PodLog streams what a container has written.
func (c *Client) PodLog(ctx context.Context, name, container string) (io.ReadCloser, error) {
	return c.core.Get().Namespace(c.namespace).Resource("pods").Name(name).SubResource("log").
		Param("container", container).Param("limitBytes", strconv.Itoa(maxLog)).Stream(ctx)
}

// maxLog bounds what is read of a log: a node keeps 10 MiB in a file, and gives one file.
const maxLog = 64 << 20

// GetJob reads a Job.
func (c *Client) GetJob(ctx context.Context, name string) (*batchv1.Job, error) {
	var out batchv1.Job
	err := c.batch.Get().Namespace(c.namespace).Resource("jobs").Name(name).Do(ctx).Into(&out)
	return &out, err
}

// GetLease reads a Lease.
func (c *Client) GetLease(ctx context.Context, name string) (*coordinationv1.Lease, error) {
	var out coordinationv1.Lease
	err := c.coordination.Get().Namespace(c.namespace).Resource("leases").Name(name).Do(ctx).Into(&out)
	return &out, err
}

// CreateLease makes a Lease.
func (c *Client) CreateLease(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	var out coordinationv1.Lease
	err := c.coordination.Post().Namespace(c.namespace).Resource("leases").Body(lease).Do(ctx).Into(&out)
	return &out, err
}

// UpdateLease writes a Lease that was read; it is a conflict where another has written it since.
func (c *Client) UpdateLease(ctx context.Context, lease *coordinationv1.Lease) (*coordinationv1.Lease, error) {
	var out coordinationv1.Lease
	err := c.coordination.Put().Namespace(c.namespace).Resource("leases").Name(lease.Name).Body(lease).Do(ctx).Into(&out)
	return &out, err
}

// DeleteLease removes a Lease that was read; it is a conflict where another has written it since.
func (c *Client) DeleteLease(ctx context.Context, lease *coordinationv1.Lease) error {
	o := metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &lease.UID, ResourceVersion: &lease.ResourceVersion}}
	return c.coordination.Delete().Namespace(c.namespace).Resource("leases").Name(lease.Name).Body(&o).Do(ctx).Error()
}
