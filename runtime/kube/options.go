// Package kube is the coordinator: it drives a run on a cluster from a pod in that cluster. It reports the events of pods to
// the engine, and performs the engine's actions. One coordinator drives one run and belongs to its Job. If it dies, another
// coordinator resumes the run: the events are in the store, and the running pods are in the cluster.
//
// The package makes no decisions about a run (runtime/engine does) and defines no pods (schema/kube/pod does). It does not
// poll: one watch reports changes of the run's pods, and another one changes of its Job.
package kube

import (
	"errors"
	"io"
	"time"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/store"
)

// Options identify the run that this coordinator drives, and configure the coordinator.
type Options struct {
	Client *kubeclient.Client
	Store  store.Store
	// Loaded is the bound program that the Job carries. nil: Program is its encoding.
	Loaded    *Loaded
	Program   []byte
	Namespace string
	Job       string // the run's name
	JobUID    string
	Pod       string // the coordinator's own pod
	PodUID    string
	// Environ looks up the credentials for imports; nil: this process's environment. Memory limits the memory for the content
	// of imports, in bytes; 0: the default of s3.Options.
	Environ func(string) (string, bool)
	Memory  int64
	// Seal states that a new run believes only reports with the seal of their attempt: the program in the pods of steps is
	// pipec-agent, or seals its reports in the same way.
	Seal bool
	// Steady says that the pauses between the tries of a request are not random: a simulation must be repeatable.
	Steady bool
	// Out receives the run's events, one line of JSON each. A coordinator that resumes a run repeats the earlier events, with
	// the same numbers.
	Out io.Writer

	pace time.Duration // the first pause between repeated requests; 0: the default
}

// ErrStopped reports that the coordinator was asked to end. The run continues when the coordinator is started again.
var ErrStopped = errors.New("the coordinator was stopped before the end of the run; the next coordinator continues the run")

// ErrTakenOver reports that another coordinator drives the run.
var ErrTakenOver = drive.ErrTakenOver

const (
	// bigRun is the number of steps from which the pods of a run are deleted during the run. Smaller runs keep them as long as the
	// Job exists.
	bigRun = 200
	// keepPods is how long a pod is kept after the end of its attempt was recorded, so that a coordinator with an outdated state
	// still finds it.
	keepPods = 60 * time.Second
	// logDelay is how long events wait to be written together. If the coordinator dies before that, its successor learns them
	// from the results.
	logDelay = time.Second
	// reads is the number of results that are read from the store at the same time.
	reads = 32
	// saves is how many ends of logs are saved at the same time: each needs up to 4 MiB of memory.
	saves = 4
	// changes is how many requests to create pods, or to delete them, are sent at the same time.
	changes = 16
	// lateBy is how long a deleted pod may exist after its grace before its node counts as unreachable.
	lateBy = time.Minute
)

// now returns the current time as records contain it.
func now() time.Time { return drive.Now() }
