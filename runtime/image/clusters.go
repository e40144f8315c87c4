package image

import "pipec.dev/pipec/schema/program"

// pinCluster stores the facts about a stack's cluster in the lock.
func pinCluster(l *program.Lock, stack string, now program.LockedCluster) Item {
	item := Item{Kind: KindCluster, Name: stack, Status: Unchanged, Note: "Kubernetes " + now.Version}
	old, known := l.Clusters[stack]
	switch {
	case !known:
		item.Status = Pinned
	case old != now:
		item.Status = Upgraded
	}
	if l.Clusters == nil {
		l.Clusters = map[string]program.LockedCluster{}
	}
	l.Clusters[stack] = now
	return item
}
