package podspec

import (
	"reflect"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// enums are the allowed strings of a type of Kubernetes, which its Go type doesn't declare.
var enums = map[reflect.Type][]string{
	reflect.TypeFor[corev1.ContainerRestartPolicy]():        {"Always", "Never", "OnFailure"},
	reflect.TypeFor[corev1.DNSPolicy]():                     {"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"},
	reflect.TypeFor[corev1.HostPathType]():                  {"", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"},
	reflect.TypeFor[corev1.MountPropagationMode]():          {"Bidirectional", "HostToContainer", "None"},
	reflect.TypeFor[corev1.NodeInclusionPolicy]():           {"Honor", "Ignore"},
	reflect.TypeFor[corev1.NodeSelectorOperator]():          {"DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"},
	reflect.TypeFor[corev1.OSName]():                        {"linux"},
	reflect.TypeFor[corev1.PersistentVolumeAccessMode]():    {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"},
	reflect.TypeFor[corev1.PersistentVolumeMode]():          {"Block", "Filesystem"},
	reflect.TypeFor[corev1.PodFSGroupChangePolicy]():        {"Always", "OnRootMismatch"},
	reflect.TypeFor[corev1.PreemptionPolicy]():              {"Never", "PreemptLowerPriority"},
	reflect.TypeFor[corev1.ProcMountType]():                 {"Default", "Unmasked"},
	reflect.TypeFor[corev1.Protocol]():                      {"SCTP", "TCP", "UDP"},
	reflect.TypeFor[corev1.PullPolicy]():                    {"Always", "IfNotPresent", "Never"},
	reflect.TypeFor[corev1.RecursiveReadOnlyMode]():         {"Disabled", "Enabled", "IfPossible"},
	reflect.TypeFor[corev1.ResourceResizeRestartPolicy]():   {"NotRequired", "RestartContainer"},
	reflect.TypeFor[corev1.SeccompProfileType]():            {"Localhost", "RuntimeDefault", "Unconfined"},
	reflect.TypeFor[corev1.AppArmorProfileType]():           {"Localhost", "RuntimeDefault", "Unconfined"},
	reflect.TypeFor[corev1.SupplementalGroupsPolicy]():      {"Merge", "Strict"},
	reflect.TypeFor[corev1.TaintEffect]():                   {"", "NoExecute", "NoSchedule", "PreferNoSchedule"},
	reflect.TypeFor[corev1.TolerationOperator]():            {"", "Equal", "Exists", "Gt", "Lt"},
	reflect.TypeFor[corev1.URIScheme]():                     {"HTTP", "HTTPS"},
	reflect.TypeFor[corev1.UnsatisfiableConstraintAction](): {"DoNotSchedule", "ScheduleAnyway"},
	reflect.TypeFor[metav1.LabelSelectorOperator]():         {"DoesNotExist", "Exists", "In", "NotIn"},
}
