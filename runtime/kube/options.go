// Package kube runs the steps of a run as pods of the cluster that it runs in itself: it is the executor beneath
// runtime/drive. One coordinator drives one run, whose Job it belongs to. When it dies, another coordinator takes the run
// over: the store contains what has happened, and the cluster what runs.
//
// It decides nothing about a run (runtime/engine does) and designs no pod (schema/kube/pod does). It does not poll: it
// watches the run's pods and its Job.
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
	// Out receives the run's events, one line of JSON each. A coordinator that resumes a run writes the earlier events again,
	// with the same numbers.
	Out io.Writer

	pace time.Duration // between tries, at first; 0: as is good for a server
}

// ErrStopped means that the coordinator was stopped. The run continues when a coordinator is started again.
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
