// Package kube drives runs on a cluster, from within: it reports the events of pods to the engine and performs the
// engine's actions. One coordinator drives one run and belongs to its Job. When it dies, another coordinator continues the run: the
// events are in the store, and the running pods are in the cluster.
//
// It makes no decisions about a run (runtime/engine does) and defines no pods (schema/kube/pod does). It does not poll: one
// watch reports changes of the run's pods, another of its Job.
package kube

import (
	"errors"
	"io"
	"time"

	"pipec.dev/pipec/runtime/drive"
	"pipec.dev/pipec/runtime/kubeclient"
	"pipec.dev/pipec/runtime/store"
)

// Options are the run that this coordinator drives, and what it drives the run with.
type Options struct {
	Client *kubeclient.Client
	Store  store.Store
	// Program is the encoding of the bound program that the Job carries.
	Program   []byte
	Namespace string
	Job       string // the run's name
	JobUID    string
	Pod       string // this coordinator's own
	PodUID    string
	// Environ gives the credentials that artifacts are imported with; nil: this process's environment. Memory bounds what
	// is held of them on their way; 0: as s3.Options.
	Environ func(string) (string, bool)
	Memory  int64
	// Steady says that the pauses between the tries of a request are not random: a simulation must be repeatable.
	Steady bool
	// Out takes the run's events, a line of JSON each; earlier events are repeated if this coordinator continues
	// a run, with the same numbers.
	Out io.Writer

	pace time.Duration // between tries, at first; 0: as is good for a server
}

// ErrStopped means that the coordinator was asked to end. The run continues when it is started again.
var ErrStopped = errors.New("the coordinator was stopped before the end of the run; the next coordinator continues the run")

// ErrTakenOver means that another coordinator drives the run.
var ErrTakenOver = drive.ErrTakenOver

const (
	// bigRun is how many steps a run has whose pods are deleted during the run; the pods of smaller runs are kept as long as the Job.
	bigRun = 200
	// keepPods is how long a pod stays when the end of its attempt is recorded: a coordinator that acts on old news finds it.
	keepPods = 60 * time.Second
	// logDelay is how long events wait to be written with others. A coordinator that dies before learns them from results.
	logDelay = time.Second
	// reads is how many results are read from the store at the same time.
	reads = 32
	// lateBy is how long after its grace a pod that was deleted may still be there before its node counts as silent.
	lateBy = time.Minute
)

// now returns the current time as records contain it.
func now() time.Time { return drive.Now() }
