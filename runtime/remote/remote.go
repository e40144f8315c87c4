// Package remote starts, follows, cancels and answers runs on a cluster, from outside of it. A run is a Job. The Job is
// created from the CronJob of the pipeline's definition, and the coordinator in the Job's pod drives the run.
//
// The package reports a run as the local driver does, with events: the events that the coordinator prints, and the lines
// that the pods of the steps write. What is missing of them is read from the run's records. The package decides nothing
// about a run, writes no records of a run that is driven, and applies no definitions.
//
// It requires the following rights: get cronjobs, create get watch patch jobs, list watch pods, get pods/log. If one of
// them is missing, it reports that and does what is possible without. Reading ended runs requires the store only.
package remote

import (
	"k8s.io/client-go/rest"

	"pipec.dev/pipec/runtime/kubeclient"
)

// Client starts, follows and cancels the runs in one namespace of a cluster. It is safe for concurrent use.
type Client struct {
	client    *kubeclient.Client
	namespace string
}

// New returns a client for a namespace of the cluster that config describes. It doesn't connect to the cluster yet.
func New(config *rest.Config, namespace string) (*Client, error) {
	client, err := kubeclient.New(config, namespace)
	if err != nil {
		return nil, err
	}
	return &Client{client: client, namespace: namespace}, nil
}

// Namespace returns the namespace of the runs.
func (c *Client) Namespace() string { return c.namespace }
