// Package record is what a run leaves behind, as versioned JSON objects in an artifact store: the run, its attempts with
// their results, its artifacts, its events. It is data and the names of the objects; runtime/store keeps them.
package record

import (
	"encoding/json"
	"strings"
	"time"
)

// Version is the version of all records. A reader refuses a newer one.
const Version = 1

// Status is how a step or a run is or has ended.
type Status string

// A run or a step is pending, running, and then ends as one of the rest. Cached is succeeded with Cached set.
const (
	Pending   Status = "pending"
	Running   Status = "running"
	Succeeded Status = "succeeded"
	Failed    Status = "failed"
	Skipped   Status = "skipped"
	Cancelled Status = "cancelled"
	TimedOut  Status = "timed_out"
	Lost      Status = "lost" // shown only: a run with no end whose process or Job is gone
)

// Ended says whether s is final.
func (s Status) Ended() bool {
	switch s {
	case Succeeded, Failed, Skipped, Cancelled, TimedOut:
		return true
	}
	return false
}

// Statuses are what `step.x.status` can be, sorted.
var Statuses = []string{"cancelled", "failed", "skipped", "succeeded", "timed_out"}

// Run is runs/…/run.json, written once before anything else of the run.
type Run struct {
	Version   int    `json:"version"`
	Name      string `json:"name"`
	Project   string `json:"project,omitempty"`
	Pipeline  string `json:"pipeline"`
	Namespace string `json:"namespace"` // "local" on the local driver
	Stack     string `json:"stack"`
	UID       string `json:"uid"`     // identity of who may write the run: the Job's UID; a random one on the local driver
	Program   string `json:"program"` // digest, of programs/…
	// Codes is the digest of each code bundle used, by the code's name.
	Codes       map[string]string          `json:"codes,omitempty"`
	Params      map[string]json.RawMessage `json:"params,omitempty"`  // all of them that are values, or null; defaults filled in
	Imports     []Import                   `json:"imports,omitempty"` // those that are artifacts, sorted by name
	Last        []Last                     `json:"last,omitempty"`    // what was found of the program's Last
	CreatedAt   time.Time                  `json:"created_at"`
	ScheduledAt *time.Time                 `json:"scheduled_at,omitempty"`
	Only        []string                   `json:"only,omitempty"`     // the steps of `run --step`; empty: all
	RerunOf     string                     `json:"rerun_of,omitempty"` // the run whose results are kept
	Kept        []string                   `json:"kept,omitempty"`     // the steps whose results are kept from it
	Parallel    int                        `json:"parallel,omitempty"` // attempts at once; 0: only the program bounds them
}

// Import is an artifact that a run was started with.
type Import struct {
	Datum
	// Source is where it came from: s3://BUCKET/KEY, a path of the project, @PATH of a machine, run:RUN/STEP/OUTPUT.
	Source string `json:"source,omitempty"`
}

// What begins a source that is no source of a program: a path of the machine that the run was started on, and an output of
// another run.
const (
	FromFile = "@"
	FromRun  = "run:"
)

// Empty says whether the artifact is still to be brought into the store. A list of none, of another run, is there.
func (i *Import) Empty() bool {
	return i.Artifact == nil && i.Elems == nil && i.Source != "" && !strings.HasPrefix(i.Source, FromRun)
}

// Last is an output of an earlier run, as it was found when the run started.
type Last struct {
	Pipeline string `json:"pipeline"`
	Run      string `json:"run"`
	Datum    Datum  `json:"datum"` // by the output's name
}

// Indexed is what stands at an IndexKey: what the key doesn't say of where the run's records are.
type Indexed struct {
	Version   int    `json:"version"`
	Namespace string `json:"namespace"`
}

// End is runs/…/end.json, written once when the run has ended.
type End struct {
	Version int       `json:"version"`
	Status  Status    `json:"status"`
	Reason  string    `json:"reason,omitempty"`
	Message string    `json:"message,omitempty"` // which steps, or which output, and why
	At      time.Time `json:"at"`
	Outputs []Datum   `json:"outputs,omitempty"` // sorted by name
	Steps   []StepEnd `json:"steps"`             // sorted by name; steps and then finally
}

// StepEnd is how one step ended.
type StepEnd struct {
	Name      string    `json:"name"`
	Status    Status    `json:"status"`
	Cached    bool      `json:"cached,omitempty"`
	Kept      bool      `json:"kept,omitempty"` // taken from the run that this one reruns
	Attempts  int       `json:"attempts,omitempty"`
	ExitCode  *int      `json:"exit_code,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Message   string    `json:"message,omitempty"`
	StartedAt time.Time `json:"started_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Outputs   []Datum   `json:"outputs,omitempty"`
	// Ask and Answer are an approval's: what it asks, and what was said to it; no Answer where nobody has yet, or in time.
	Ask    *Ask    `json:"ask,omitempty"`
	Answer *Answer `json:"answer,omitempty"`
	// Run holds the attempt, where it is not this run: cached and kept steps. With Attempt, where the log is.
	Run     string `json:"run,omitempty"`
	Attempt int    `json:"attempt,omitempty"`
}

// Datum is one value or artifact, with its name. Exactly one of Value, Artifact and Elems is set; only a list or a map
// of artifacts that is empty has none of them.
type Datum struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Value    json.RawMessage `json:"value,omitempty"`
	Artifact *Artifact       `json:"artifact,omitempty"`
	// Elems are the elements of a list(model) in order, without names, or of a map(model), sorted, with their keys as
	// names: each may come from another step, so there is no one blob that holds them.
	Elems []Datum `json:"elems,omitempty"`
}

// Artifact is content in the store. For a directory the blob is a Tree.
type Artifact struct {
	Digest    string `json:"digest"` // sha256:…
	Size      int64  `json:"size"`   // bytes of content; of all files for a directory
	Directory bool   `json:"directory,omitempty"`
	Format    string `json:"format,omitempty"` // how the runner wrote it: npy, parquet, csv, joblib, pickle, png, …
}

// Tree is the content of a directory artifact: its files by path, sorted.
type Tree struct {
	Version int    `json:"version"`
	Files   []File `json:"files"`
}

// File is one entry of a Tree. Link is set for a symbolic link, which stays inside the tree.
type File struct {
	Path   string `json:"path"` // slash-separated, relative, clean
	Digest string `json:"digest,omitempty"`
	Size   int64  `json:"size,omitempty"`
	Exec   bool   `json:"exec,omitempty"`
	Dir    bool   `json:"dir,omitempty"` // an empty directory
	Link   string `json:"link,omitempty"`
}

// Reasons: why an attempt, a step or a run ended as it did. One word, as Kubernetes writes them.
const (
	ReasonError            = "Error"            // the user's process ended with another code than 0
	ReasonSignal           = "Signal"           // it was ended by a signal that pipec didn't send
	ReasonTimeout          = "Timeout"          // it ran longer than timeout; of an approval: nobody has answered in time
	ReasonRejected         = "Rejected"         // an approval: somebody has said no
	ReasonCancelled        = "Cancelled"        // the run was cancelled, or aborted
	ReasonStart            = "StartError"       // it could not be started: no such executable, not permitted
	ReasonOutputMissing    = "OutputMissing"    // a declared output is not there
	ReasonOutputInvalid    = "OutputInvalid"    // it is there, and is not of its declared type
	ReasonInput            = "InputUnavailable" // an input could not be fetched, or its digest does not match
	ReasonInputInvalid     = "InputInvalid"     // an input's value is not of its declared type
	ReasonExpression       = "ExpressionFailed" // an expression could not be evaluated at run time
	ReasonStore            = "StoreUnavailable" // the store could not be written: full, unreachable, no rights
	ReasonCode             = "CodeUnavailable"  // the code bundle could not be unpacked
	ReasonOOM              = "OOMKilled"        // memory
	ReasonLost             = "ProcessLost"      // the attempt's process is gone and left no result
	ReasonShutdown         = "Shutdown"         // the machine or the pod was told to stop
	ReasonConditionFalse   = "ConditionFalse"   // skipped: when is false
	ReasonUpstreamFailed   = "UpstreamFailed"   // skipped: a needed step failed
	ReasonUpstreamSkipped  = "UpstreamSkipped"  // skipped: a needed step was skipped
	ReasonStopped          = "Stopped"          // skipped: on_failure stopped the run, or it was cancelled
	ReasonGroupBusy        = "GroupBusy"        // skipped: others hold all places of its group
	ReasonGroup            = "GroupUnavailable" // its concurrency group could not be entered
	ReasonStepsFailed      = "StepsFailed"      // run: steps failed
	ReasonRunTimeout       = "RunTimeout"       // run: longer than its timeout
	ReasonFinallyFailed    = "FinallyFailed"    // run: a finally step failed
	ReasonTooMany          = "TooManyInstances" // for_each has more elements than max_instances
	ReasonOutputExpression = "OutputFailed"     // run: an output of the pipeline could not be evaluated
	ReasonImport           = "ImportFailed"     // run: an artifact could not be imported, for what is not the user's fault
)
