// Package kube defines the names of pipec's objects in a cluster: names, labels, annotations, environment variables and exit codes,
// on which the compiler, emit, the coordinator and the command line agree. It is pure and does not connect to a cluster. The pod
// of a step is built in schema/kube/pod, which the coordinator does not import.
package kube

// Manager is the field manager of server-side apply, and the value of LabelManagedBy.
const Manager = "pipec"

// Labels of the objects that pipec creates. LabelValue writes their values.
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

	// LabelPlain is only set on the pods of steps, so that `kubectl get pods -l pipeline=NAME` shows one pod for each step.
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
	AnnotationParams   = "pipec.dev/params"   // JSON object: what `run --param` gave; or blob:sha256:… of it in the store
	AnnotationOnly     = "pipec.dev/only"     // JSON list of the steps that are run
	AnnotationRerunOf  = "pipec.dev/rerun-of" // the run whose results are kept
	AnnotationKept     = "pipec.dev/kept"     // JSON list of the steps whose results are kept
	AnnotationRedone   = "pipec.dev/redone"   // JSON list of the addresses of the parts of kept steps that are not kept
	AnnotationSchedule = "pipec.dev/schedule" // the name of the schedule that started the run; also of its CronJob
	AnnotationCancel   = "pipec.dev/cancel"   // RFC 3339 time; each new value cancels once
	AnnotationApprove  = "pipec.dev/approve." // and record.AnswerName of the step's address: JSON of the record.Answer, written once
)

// Annotations of a step's pod, and of a definition.
const (
	AnnotationStep     = "pipec.dev/step-address" // whole, where the label is cut
	AnnotationKey      = "pipec.dev/key"          // each.key, whole
	AnnotationSpec     = "pipec.dev/spec"         // digest of the pod's spec as it was created: what adoption compares
	AnnotationPipeline = "pipec.dev/pipeline-name"
	AnnotationProject  = "pipec.dev/project-name"
	AnnotationProgram  = "pipec.dev/program" // digest of the program
	// AnnotationWhy is set on a pod before it is deleted. It holds the reason to report when the pod no longer exists.
	AnnotationWhy = "pipec.dev/deleted-because"
)

// The holders of a concurrency group: annotations of its Lease, and a label of each pod that runs in the group.
const (
	AnnotationGroup   = "pipec.dev/group"   // its name
	AnnotationHolders = "pipec.dev/holders" // JSON list of the holders of slots
	AnnotationWaiting = "pipec.dev/waiting" // JSON list of the runs that wait for one, the first first

	// LabelGroup is the prefix of a label's key, before GroupDigest: a pod may be in several groups. The value is the name of the group.
	LabelGroup = "pipec.dev/group-"
)

// Containers and paths in pods.
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

// Environment variables that configure pods.
const (
	// EnvSpec is set on the pod of a step: the task of `pipec-agent step` as JSON, as gz: and the base64 of its gzip, or as
	// blob:sha256:… of a blob in the store.
	EnvSpec = "PIPEC_SPEC"
	// EnvStore is the program.Store as JSON. It is set on both kinds of pod.
	EnvStore = "PIPEC_STORE"
	// EnvStorePrefix is put in front of the keys of the store's Secret. The user's process does not receive variables with this prefix.
	EnvStorePrefix = "PIPEC_STORE_"
	// EnvSeal is the key of record.Run.SealKey. It is set on the pod of a step, and the user's process does not receive it.
	EnvSeal      = "PIPEC_SEAL"
	EnvJobName   = "PIPEC_JOB_NAME"
	EnvJobUID    = "PIPEC_JOB_UID"
	EnvNamespace = "PIPEC_NAMESPACE"
	EnvPodName   = "PIPEC_POD_NAME"
	EnvPodUID    = "PIPEC_POD_UID"
)

// ExitRunFailed is the exit code of a coordinator whose run has not succeeded. The Job's podFailurePolicy fails the Job at once. After
// any other code but 0 the coordinator must be restarted.
const ExitRunFailed = 91

// DefaultUser is the user ID in pods whose image has no numeric user other than root.
const DefaultUser = 65532
