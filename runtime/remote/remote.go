// Package remote starts runs on a cluster, follows them and cancels them, from outside: a run is a Job, made from the
// CronJob of its pipeline's definition, and the coordinator in its pod drives it.
//
// It tells of a run as the local driver does, by events: those that the coordinator prints, and the lines that the pods
// of the steps write, completed from what the steps have stored. It decides nothing about a run, writes no records of
// one that is driven, and applies no definitions.
//
// What it asks of who uses it: get cronjobs, create get watch patch jobs, list watch pods, get pods/log; for each that is
// missing it says so, and does what can be done without. Reading only needs the store.
package remote

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// Cluster is a namespace of a cluster. It is safe for concurrent use.
type Cluster struct {
	core, batch *rest.RESTClient
	params      runtime.ParameterCodec
	namespace   string
}

// New talks to a namespace of the cluster that config leads to. It sends nothing yet.
func New(config *rest.Config, namespace string) (*Cluster, error) {
	scheme := runtime.NewScheme()
	scheme.AddKnownTypes(corev1.SchemeGroupVersion, &corev1.Pod{}, &corev1.PodList{}, &corev1.Event{}, &corev1.EventList{})
	scheme.AddKnownTypes(batchv1.SchemeGroupVersion, &batchv1.Job{}, &batchv1.JobList{}, &batchv1.CronJob{}, &batchv1.CronJobList{})
	codecs := serializer.NewCodecFactory(scheme)
	c := &Cluster{params: runtime.NewParameterCodec(scheme), namespace: namespace}
	for _, g := range []struct {
		client **rest.RESTClient
		path   string
		gv     schema.GroupVersion
	}{{&c.core, "/api", corev1.SchemeGroupVersion}, {&c.batch, "/apis", batchv1.SchemeGroupVersion}} {
		metav1.AddToGroupVersion(scheme, g.gv)
		own := rest.CopyConfig(config)
		own.APIPath, own.GroupVersion = g.path, &g.gv
		own.NegotiatedSerializer = codecs.WithoutConversion()
		own.QPS = -1 // the server knows better than a counter here: a run of 200 steps opens 200 logs at once
		client, err := rest.RESTClientFor(own)
		if err != nil {
			return nil, err
		}
		*g.client = client
	}
	return c, nil
}

// Namespace is where runs are.
func (c *Cluster) Namespace() string { return c.namespace }
