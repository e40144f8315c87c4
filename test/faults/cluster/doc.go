// Package cluster disturbs whole runs on the test cluster: coordinators and pods that are killed, partitions, an outage of
// the artifact store, and restarts of the cluster's own programs. Each run must end as if nothing had happened, or as
// docs/reliability.md says.
//
// Tests that restart programs of the cluster disturb all other tests there. They run only with -restarts, when nothing else
// uses the cluster: make faults-cluster, and the last step of make test.
package cluster
