package kubeclient

import (
	"context"
	"io"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// CreatePod creates a pod.
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

// DeletePod requests that the pod with this UID is ended, as its own grace period allows, and removed. A pod of the same
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

// ListEvents reads the cluster's events about an object.
func (c *Client) ListEvents(ctx context.Context, kind, uid string) ([]corev1.Event, error) {
	var out corev1.EventList
	err := c.core.Get().Namespace(c.namespace).Resource("events").
		Param("fieldSelector", "involvedObject.kind="+kind+",involvedObject.uid="+uid).Do(ctx).Into(&out)
	return out.Items, err
}

// LogOptions select the part of a container's log that is read.
type LogOptions struct {
	// Follow keeps the stream open while the container runs.
	Follow bool
	// Timestamps puts the time at the start of each line.
	Timestamps bool
	// Previous selects the log of the container's previous life.
	Previous bool
	// Since leaves out lines from before; it counts in whole seconds. Zero means from the start.
	Since time.Time
	// LimitBytes limits the stream; 0 means no limit.
	LimitBytes int64
	// Tail limits the log to its last lines before the stream follows it; nil means no limit.
	Tail *int64
}

// MaxLog is a limit for a log that is read whole: a node keeps 10 MiB in a file, and returns one file.
const MaxLog = 64 << 20

// PodLog streams what a container has written.
func (c *Client) PodLog(ctx context.Context, pod, container string, o LogOptions) (io.ReadCloser, error) {
	r := c.core.Get().Namespace(c.namespace).Resource("pods").Name(pod).SubResource("log").
		Param("container", container).Param("follow", strconv.FormatBool(o.Follow)).Param("timestamps", strconv.FormatBool(o.Timestamps))
	if o.Previous {
		r = r.Param("previous", "true")
	}
	if !o.Since.IsZero() {
		r = r.Param("sinceTime", o.Since.UTC().Format(time.RFC3339))
	}
	if o.LimitBytes > 0 {
		r = r.Param("limitBytes", strconv.FormatInt(o.LimitBytes, 10))
	}
	if o.Tail != nil {
		r = r.Param("tailLines", strconv.FormatInt(*o.Tail, 10))
	}
	return r.Stream(ctx)
}
