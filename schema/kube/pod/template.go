package pod

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// common is what the pods of a program share.
type common struct {
	target      *program.Target
	store       string // JSON of the store, for EnvStore
	secret      string // the Secret of the store for steps; "": none
	labels      map[string]string
	annotations map[string]string
}

func (b *binder) prepare(t *program.Target) {
	own := t.Store.ForSteps()
	store, _ := json.Marshal(own) // strings and a bool: never fails
	b.common = common{target: t, secret: own.Secret, store: string(store), labels: Labels(b.source, kube.ComponentStep), annotations: Annotations(b.source)}
	b.common.labels[kube.LabelPlain] = kube.LabelValue(b.source.Pipeline)
}

// Labels returns the labels of the objects that pipec creates for a pipeline and a component, such as kube.ComponentStep. pipec's own
// labels override those of the pipeline.
func Labels(p *program.Program, component string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, p.Labels)
	out[kube.LabelName] = kube.LabelValue(p.Pipeline)
	out[kube.LabelPipeline] = kube.LabelValue(p.Pipeline)
	out[kube.LabelManagedBy] = kube.Manager
	out[kube.LabelComponent] = component
	if p.Project != "" {
		out[kube.LabelPartOf] = kube.LabelValue(p.Project)
		out[kube.LabelProject] = kube.LabelValue(p.Project)
	}
	return out
}

// Annotations returns the full names that Labels may have had to shorten.
func Annotations(p *program.Program) map[string]string {
	out := map[string]string{kube.AnnotationPipeline: p.Pipeline}
	if p.Project != "" {
		out[kube.AnnotationProject] = p.Project
	}
	return out
}

// template is the complete pod of a step, except for the fields that an attempt fills in.
func (b *binder) template(s *program.Step, img image) (*corev1.PodTemplateSpec, error) {
	labels, annotations := maps.Clone(s.Labels), maps.Clone(s.Annotations)
	if labels == nil {
		labels = make(map[string]string, len(b.common.labels)+1)
	}
	if annotations == nil {
		annotations = make(map[string]string, len(b.common.annotations)+1)
	}
	maps.Copy(labels, b.common.labels)
	maps.Copy(annotations, b.common.annotations)
	labels[kube.LabelStep] = kube.LabelValue(s.Name)
	annotations[kube.AnnotationStep] = s.Name
	out := &corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels, Annotations: annotations}, Spec: b.spec(s, img)}
	if len(s.PodPatch) > 0 {
		patched, err := patch(&out.Spec, s.PodPatch)
		if err != nil {
			return nil, fmt.Errorf("its `pod`: %w", err)
		}
		out.Spec = *patched
	}
	restrict(&out.Spec)
	fill(&out.Spec, b.common.target.DefaultResources)
	return out, nil
}

func (b *binder) spec(s *program.Step, img image) corev1.PodSpec {
	account := s.ServiceAccount
	if account == "" {
		account = kube.StepsName(b.source.Pipeline)
	}
	no := false
	spec := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		ServiceAccountName:            account,
		AutomountServiceAccountToken:  &no,
		EnableServiceLinks:            &no,
		NodeSelector:                  s.NodeSelector,
		ImagePullSecrets:              pullSecrets(b.common.target),
		SecurityContext:               podSecurity(s.Security, img.locked.User),
		TerminationGracePeriodSeconds: seconds(s.Grace.D() + wrapperGrace),
		ActiveDeadlineSeconds:         b.deadline(s),
		Volumes: []corev1.Volume{
			{Name: kube.VolumeWork, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
	}
	main := corev1.Container{
		Name:                   kube.ContainerMain,
		Image:                  img.reference,
		Command:                []string{kube.AgentPath, "step"},
		Env:                    b.env(s),
		EnvFrom:                storeSecret(b.common.secret),
		Resources:              resources(s.Resources),
		VolumeMounts:           []corev1.VolumeMount{{Name: kube.VolumeWork, MountPath: kube.WorkDir}},
		SecurityContext:        mainSecurity(s.Security),
		TerminationMessagePath: corev1.TerminationMessagePathDefault,
		// The agent writes the message itself: the end of a log would be taken for one.
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
	}
	if s.Security != nil && s.Security.ReadOnlyRoot {
		spec.Volumes = append(spec.Volumes, corev1.Volume{Name: kube.VolumeTmp, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
		main.VolumeMounts = append(main.VolumeMounts, corev1.VolumeMount{Name: kube.VolumeTmp, MountPath: "/tmp"})
	}
	b.agent(&spec, &main)
	spec.Containers = []corev1.Container{main}
	return spec
}

// wrapperGrace is what the agent has, beyond the process's own grace, to end it, to store the log and to say how it ended.
const wrapperGrace = 30 * time.Second

// env configures the store of the agent, and gives the process its secrets. All else of the environment is in the agent's
// task, which the coordinator adds.
func (b *binder) env(s *program.Step) []corev1.EnvVar {
	out := []corev1.EnvVar{{Name: kube.EnvStore, Value: b.common.store}}
	for _, e := range s.SecretEnv {
		out = append(out, corev1.EnvVar{Name: e.Name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: e.Secret}, Key: e.Key,
		}}})
	}
	return out
}

// storeSecret gives the store's credentials to the agent, which keeps them from the process by their prefix.
func storeSecret(name string) []corev1.EnvFromSource {
	if name == "" {
		return nil
	}
	return []corev1.EnvFromSource{{
		Prefix:    kube.EnvStorePrefix,
		SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}},
	}}
}
