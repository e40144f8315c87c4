// Package record defines what a run leaves behind, as versioned JSON objects in an artifact store: the run, its attempts and
// their results, its artifacts and its events. It also defines the keys of these objects and the addresses of steps. It does no
// I/O: runtime/store stores the objects.
package record

import (
	"encoding/json"
	"strings"
	"time"
)

// Version is the version of all records. A reader rejects a newer one.
const Version = 1

// Status is the status of a step or a run.
type Status string

// A run or a step is pending, then running, and ends with one of the others. A cached step has succeeded, with Cached set.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Skipped   Status = "skipped"
	Cancelled Status = "cancelled"
	TimedOut  Status = "timed_out"
	Lost      Status = "lost" // only displayed: a run without an end whose process or Job no longer exists
)

// Ended reports whether s is final.
func (s Status) Ended() bool {
	switch s {
	case Succeeded, Failed, Skipped, Cancelled, TimedOut:
		return true
	}
	return false
}

// Statuses are the possible values of `step.x.status`, sorted.
var Statuses = []string{"cancelled", "failed", "skipped", "succeeded", "timed_out"}

// Run is runs/…/run.json, written once before anything else of the run.
type Run struct {
	Version   int    `json:"version"`
	Name      string `json:"name"`
	Project   string `json:"project,omitempty"`
	Pipeline  string `json:"pipeline"`
	Namespace string `json:"namespace"` // "_local" on the local driver
	Stack     string `json:"stack"`
	UID       string `json:"uid"` // the identity of the only writer of the run: the Job's UID, or a random one on the local driver
	// Sealed reports that only results with the seal of their attempt count; see SealKey.
	Sealed  bool   `json:"sealed,omitempty"`
	Program string `json:"program"` // the digest of the program; see ProgramKey
	// Codes holds the digest of each code bundle that is used, by the name of the code.
	Codes       map[string]string          `json:"codes,omitempty"`
	Params      map[string]json.RawMessage `json:"params,omitempty"`  // all params that are values, including null and defaults
	Imports     []Import                   `json:"imports,omitempty"` // all params that are artifacts, sorted by name
	LastSuccess []LastSuccess              `json:"last,omitempty"`    // the outputs of earlier runs that were found for the program's LastSuccess
	CreatedAt   time.Time                  `json:"created_at"`
	ScheduledAt *time.Time                 `json:"scheduled_at,omitempty"`
	Schedule    string                     `json:"schedule,omitempty"` // the name of the schedule that the run is for; "": none, or the only one
	Only        []string                   `json:"only,omitempty"`     // the steps of `run --step`; empty: all
	RerunOf     string                     `json:"rerun_of,omitempty"` // the run whose results are kept
	Kept        []string                   `json:"kept,omitempty"`     // the steps whose results are kept from it
	Redone      []string                   `json:"redone,omitempty"`   // the addresses of the parts of kept steps that are not kept
	Parallel    int                        `json:"parallel,omitempty"` // the limit of parallel attempts; 0: only the program's limit
	// Renamed is what was added to the names of the definition's objects after they were emitted, around a *: "dev-*".
	Renamed string `json:"renamed,omitempty"`
	// Refused is why the run was not started; nil: it was. Its end is recorded next, by another driver if need be.
	Refused *Refused `json:"refused,omitempty"`
}

// Refused is why a run was recorded and not started.
type Refused struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Import is an artifact that a run is started with.
type Import struct {
	Datum
	// Source is where the artifact comes from: s3://BUCKET/KEY, a path of the project, @PATH of a machine, or run:RUN/STEP/OUTPUT.
	Source string `json:"source,omitempty"`
}

// The prefixes of sources that a program cannot have: a path of the machine on which the run was started, and an output of
// another run.
const (
	FromFile = "@"
	FromRun  = "run:"
)

// Empty reports whether the artifact must still be imported into the store. An empty list that comes from another run counts
// as imported.
func (i *Import) Empty() bool {
	return i.Artifact == nil && i.Elems == nil && i.Source != "" && !strings.HasPrefix(i.Source, FromRun)
}

// LastSuccess is an output of an earlier run that was found when the run started.
type LastSuccess struct {
	Pipeline string `json:"pipeline"`
	Run      string `json:"run"`
	Datum    Datum  `json:"datum"` // named after the output
}

// Indexed is the object with an IndexKey. The key alone locates the records of the run.
type Indexed struct {
	Version int `json:"version"`
}

// End is runs/…/end.json, written once when the run has ended.
type End struct {
	Version int       `json:"version"`
	Status  Status    `json:"status"`
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"` // which steps or which output failed, and why
	At      time.Time `json:"at"`
	Outputs []Datum   `json:"outputs,omitempty"` // sorted by name
	Steps   []StepEnd `json:"steps"`             // sorted by name; steps and then finally
}

// StepEnd is the end of a step, or its state while it runs.
type StepEnd struct {
	Name      string    `json:"name"`
	Status    Status    `json:"status"`
	Cached    bool      `json:"cached,omitempty"`
	Kept      bool      `json:"kept,omitempty"` // the result comes from the run that this one reruns
	Attempts  int       `json:"attempts,omitempty"`
	ExitCode  *int      `json:"exit_code,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Message   string    `json:"message,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Outputs   []Datum   `json:"outputs,omitempty"`
	// Ask and Answer belong to an approval: the request and its answer. Answer is nil if there is none yet, or none came in time.
	Ask    *Ask    `json:"ask,omitempty"`
	Answer *Answer `json:"answer,omitempty"`
	// Run is the run that has the attempt and its log, if it is another one: of cached and kept steps.
	Run     string `json:"run,omitempty"`
	Attempt int    `json:"attempt,omitempty"`
	// Cache is what was found in the cache; nil if the step was not looked up.
	Cache *CacheCheck `json:"cache,omitempty"`
	// Because is the address of the step that has failed, or whose condition is false, and because of which this one was skipped.
	Because string `json:"because,omitempty"`
	// Again is how many earlier attempts of the calls that the step is part of have had it. Only the last one is listed in End.
	Again int `json:"again,omitempty"`
	// Calls is the number of attempts of a call; 0: there was at most one.
	Calls int `json:"calls,omitempty"`
}

// Datum is a named value or artifact. Exactly one of Value, Artifact and Elems is set, except for an empty list or map of
// artifacts, which has none of them.
type Datum struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Value    json.RawMessage `json:"value,omitempty"`
	Artifact *Artifact       `json:"artifact,omitempty"`
	// Elems are the elements of a list(model) in order, without names, or of a map(model) sorted by key, with their keys as
	// names. Each may come from another step, so no single blob holds them.
	Elems []Datum `json:"elems,omitempty"`
}

// Artifact is content in the store. For a directory the blob is a Tree.
type Artifact struct {
	Digest    string `json:"digest"` // sha256:…
	Size      int64  `json:"size"`   // the size of the content, or of all files of a directory, in bytes
	Directory bool   `json:"directory,omitempty"`
	// Format is the format that the runner used: npy, parquet, csv, joblib, pickle, png, … After a semicolon it may describe, as
	// JSON, what the content can't express of the Python object.
	Format string `json:"format,omitempty"`
}

// FormatName returns the name of the format without the description: "csv".
func (a *Artifact) FormatName() string {
	name, _, _ := strings.Cut(a.Format, ";")
	return name
}

// Tree is the content of a directory artifact: its files, sorted by path.
type Tree struct {
	Version int    `json:"version"`
	Files   []File `json:"files"`
}

// File is an entry of a Tree. Link is set for a symbolic link, which points inside the tree.
type File struct {
	Path   string `json:"path"` // slash-separated, relative, clean
	Digest string `json:"digest,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Exec   bool   `json:"exec,omitempty"`
	Dir    bool   `json:"dir,omitempty"` // an empty directory
	Link   string `json:"link,omitempty"`
}

// The reasons for the end of an attempt, a step or a run. Each is one word, as in Kubernetes.
const (
	ReasonError            = "Error"            // the user's process exited with another code than 0
	ReasonSignal           = "Signal"           // a signal that pipec did not send ended the process
	ReasonTimeout          = "Timeout"          // the attempt ran longer than timeout, or there was no answer to an approval in time
	ReasonRejected         = "Rejected"         // an approval was rejected
	ReasonCancelled        = "Cancelled"        // the run was cancelled, or aborted
	ReasonStart            = "StartError"       // the process could not be started: the executable does not exist or is not permitted
	ReasonOutputMissing    = "OutputMissing"    // a declared output does not exist
	ReasonOutputInvalid    = "OutputInvalid"    // an output does not have its declared type
	ReasonInput            = "InputUnavailable" // an input could not be fetched, or its digest does not match
	ReasonInputInvalid     = "InputInvalid"     // an input's value is not of its declared type
	ReasonExpression       = "ExpressionFailed" // an expression could not be evaluated at run time
	ReasonStore            = "StoreUnavailable" // the store could not be written: it is full, unreachable or not permitted
	ReasonCode             = "CodeUnavailable"  // the code bundle could not be unpacked
	ReasonOOM              = "OOMKilled"        // the attempt ran out of memory
	ReasonLost             = "ProcessLost"      // the attempt's process no longer exists and has left no result
	ReasonShutdown         = "Shutdown"         // the machine or the pod was shut down
	ReasonConditionFalse   = "ConditionFalse"   // skipped: when is false
	ReasonUpstreamFailed   = "UpstreamFailed"   // skipped: a needed step failed
	ReasonUpstreamSkipped  = "UpstreamSkipped"  // skipped: a needed step was skipped
	ReasonStopped          = "Stopped"          // skipped: on_failure stopped the run, or it was cancelled
	ReasonGroupBusy        = "GroupBusy"        // skipped: other runs hold all slots of its group
	ReasonGroup            = "GroupUnavailable" // its concurrency group could not be entered
	ReasonStepsFailed      = "StepsFailed"      // run: steps failed
	ReasonRunTimeout       = "RunTimeout"       // run: longer than its timeout
	ReasonFinallyFailed    = "FinallyFailed"    // run: a finally step failed
	ReasonTooMany          = "TooManyInstances" // for_each has more elements than max_instances
	ReasonOutputExpression = "OutputFailed"     // run: an output of the pipeline could not be evaluated
	ReasonInternal         = "InternalError"    // an error of pipec itself
	ReasonImport           = "ImportFailed"     // run: an artifact could not be imported, and the user did not cause that
)
