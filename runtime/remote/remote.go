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

// Client starts, follows and cancels the runs in one namespace of a cluster. It is safe for concurrent use.
type Client struct {
	client    *kubeclient.Client
	namespace string
}

// New returns a client for a namespace of the cluster of config. It sends nothing yet.
func New(config *rest.Config, namespace string) (*Client, error) {
	client, err := kubeclient.New(config, namespace)
	if err != nil {
		return nil, err
	}
	return &Client{client: client, namespace: namespace}, nil
}

// Namespace returns the namespace of the runs.
func (c *Client) Namespace() string { return c.namespace }
