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
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/kubeclient"
)

// Cluster is a namespace of a cluster. It is safe for concurrent use.
type Cluster struct {
	client    *kubeclient.Client
	namespace string
}

// New returns a namespace of the cluster that config leads to. It sends nothing yet.
func New(config *rest.Config, namespace string) (*Cluster, error) {
	client, err := kubeclient.New(config, namespace)
	if err != nil {
		return nil, err
	}
	return &Cluster{client: client, namespace: namespace}, nil
}

// Namespace is where runs are.
func (c *Cluster) Namespace() string { return c.namespace }
