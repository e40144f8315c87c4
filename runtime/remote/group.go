package remote

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
)

type pod = corev1.Pod

// group is what was started for a run, and is awaited at its end.
type group = sync.WaitGroup
