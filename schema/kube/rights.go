package kube

// Right is a permission in the namespace of a run.
type Right struct {
	Group, Resource string // "pods/log" for a subresource
	Verbs           []string
}

// CoordinatorRights returns the permissions that the coordinator's service account needs. Pipelines with steps in concurrency groups
// also need those for the Leases of groups, which are watched, and deleted when no run uses them.
func CoordinatorRights(grouped bool) []Right {
	leases := []string{"create", "get", "update"}
	if grouped {
		leases = []string{"create", "delete", "get", "list", "update", "watch"}
	}
	return []Right{
		{"", "pods", []string{"create", "delete", "get", "list", "watch"}},
		// the end of a log that the agent could not store
		{"", "pods/log", []string{"get"}},
		// the run's Job, which contains the requests to the coordinator: a watch of one object requires list and watch for its name
		{"batch", "jobs", []string{"get", "list", "watch"}},
		{"coordination.k8s.io", "leases", leases},
	}
}
