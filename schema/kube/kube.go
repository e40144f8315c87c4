// Package kube is what pipec's objects in a cluster are called: names, labels, annotations, environment variables and
// exit codes, on which the compiler, what is emitted, the coordinator and the command line agree. It is pure: it talks to
// no cluster. The pod of a step is made beneath, in schema/kube/pod, which the coordinator doesn't carry.
package kube

// Manager is the field manager of server-side apply, and the value of LabelManagedBy.
const Manager = "pipec"

// Labels of what pipec makes. Their values are made by LabelValue.
const (
	LabelName      = "app.kubernetes.io/name" // the pipeline
	LabelManagedBy = "app.kubernetes.io/managed-by"
	LabelPartOf    = "app.kubernetes.io/part-of" // the project
	LabelComponent = "app.kubernetes.io/component"

	LabelProject  = "pipec.dev/project"
	LabelPipeline = "pipec.dev/pipeline"
	LabelRun      = "pipec.dev/run"     // the run's Job, on its steps' pods
	LabelRunUID   = "pipec.dev/run-uid" // the Job's UID, on its steps' pods: what the coordinator watches
	LabelStep     = "pipec.dev/step"
	LabelAttempt  = "pipec.dev/attempt"

	// LabelPlain is on the pods of steps alone, so that `kubectl get pods -l pipeline=NAME` shows one for each step.
	LabelPlain = "pipeline"
)

// The values of LabelComponent.
const (
	ComponentDefinition  = "definition"
	ComponentCoordinator = "coordinator"
	ComponentStep        = "step"
	ComponentGroup       = "group"
)

// Annotations of a run's Job. They are read by its coordinator.
const (
	AnnotationParams  = "pipec.dev/params"   // JSON object: what `run --param` gave; or blob:sha256:… of it in the store
	AnnotationOnly    = "pipec.dev/only"     // JSON list of the steps that are run
	AnnotationRerunOf = "pipec.dev/rerun-of" // the run whose results are kept
	AnnotationKept    = "pipec.dev/kept"     // JSON list of the steps whose results are kept
	AnnotationCancel  = "pipec.dev/cancel"   // RFC 3339 time; each new value cancels once
	AnnotationApprove = "pipec.dev/approve." // and record.AnswerName of the step's address: JSON of the record.Answer, written once
)

// Annotations of a step's pod, and of a definition.
const (
	AnnotationStep     = "pipec.dev/step-address" // whole, where the label is cut
	AnnotationKey      = "pipec.dev/key"          // each.key, whole
	AnnotationSpec     = "pipec.dev/spec"         // digest of the pod's spec as it was created: what adoption compares
	AnnotationPipeline = "pipec.dev/pipeline-name"
	AnnotationProject  = "pipec.dev/project-name"
	AnnotationProgram  = "pipec.dev/program" // digest of the program
	// AnnotationWhy is put on a pod before it is deleted: what its missing has to be taken for.
	AnnotationWhy = "pipec.dev/deleted-because"
)

// What says who is in a concurrency group: annotations of its Lease, and a label of each pod that runs in it.
const (
	AnnotationGroup   = "pipec.dev/group"   // its name
	AnnotationHolders = "pipec.dev/holders" // JSON list of who holds a place
	AnnotationWaiting = "pipec.dev/waiting" // JSON list of the runs that wait for one, the first first

	// LabelGroup is what the label's key begins with, before GroupDigest: a pod may be in several. Its value is the
	// group's name.
	LabelGroup = "pipec.dev/group-"
)

// Containers and places in pods.
const (
	ContainerMain        = "main"        // the user's, in a step's pod
	ContainerCoordinator = "coordinator" // in the coordinator's
	ContainerAgent       = "pipec-agent" // the init container that brings the agent, where no volume does
	VolumeAgent          = "pipec-agent"
	VolumeWork           = "pipec-work"
	VolumeTmp            = "pipec-tmp" // /tmp, where the root file system is read-only
	VolumeProgram        = "pipec-program"
	AgentDir             = "/pipec-agent" // where VolumeAgent is mounted; the agent's image holds /pipec-agent at its root
	AgentPath            = "/pipec-agent/pipec-agent"
	AgentCopyDir         = "/copy"  // where ContainerAgent has VolumeAgent: in its image, AgentDir is the agent's own file
	WorkDir              = "/pipec" // VolumeWork: inputs, outputs, code, scratch
	ProgramDir           = "/program"
	ProgramFile          = "program.json.gz" // in ProgramDir, or in parts that end in .000, .001, …
)

// Environment variables by which pods are told what they are for.
const (
	// EnvSpec is on a step's pod: the task of `pipec-agent step` as JSON, plain, or as gz: and base64 of its gzip, or as
	// blob:sha256:… of it in the store.
	EnvSpec = "PIPEC_SPEC"
	// EnvStore is the program.Store as JSON, on both kinds of pod.
	EnvStore = "PIPEC_STORE"
	// EnvStorePrefix stands before the keys of the store's Secret: the user's process is not given what begins so.
	EnvStorePrefix = "PIPEC_STORE_"
	EnvJobName     = "PIPEC_JOB_NAME"
	EnvJobUID      = "PIPEC_JOB_UID"
	EnvNamespace   = "PIPEC_NAMESPACE"
	EnvPodName     = "PIPEC_POD_NAME"
	EnvPodUID      = "PIPEC_POD_UID"
)

// ExitRunFailed is how a coordinator ends whose run has ended otherwise than succeeded: the Job's podFailurePolicy makes
// the Job Failed by it, at once. Any other code but 0 is a coordinator that has to be started again.
const ExitRunFailed = 91

// DefaultUser is who runs in pods whose image has no numeric user that isn't root.
const DefaultUser = 65532
