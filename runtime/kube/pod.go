package kube

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"pipec.dev/pipec/runtime/engine"
	"pipec.dev/pipec/runtime/kube/groups"
	"pipec.dev/pipec/runtime/step"
	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// task returns the task of the attempt for the wrapper in its pod. It is not kept, because it is large and thousands of attempts
// may run at once.
func (a *attempt) task() *step.Spec { return taskOf(a.d.record, &a.spec) }

func taskOf(run *record.Run, s *engine.Spec) *step.Spec {
	p := s.Def
	return &step.Spec{
		Version: step.SpecVersion, Run: run.Name, Pipeline: run.Pipeline, Step: s.Step, Key: s.Key,
		Attempt: s.Attempt, UserAttempt: s.UserAttempt, Program: *p, Inputs: s.Inputs, Refs: s.Refs,
		Code: run.Codes[p.Code], Root: kube.WorkDir, AttemptDir: run.AttemptDir(s.Step, s.Attempt), Segments: true,
	}
}

// forWrapper returns the step without the parts that the pod already contains or that only the engine uses.
func forWrapper(s program.Step) program.Step {
	return program.Step{
		Name: s.Name, Command: s.Command, CommandList: s.CommandList, Python: s.Python, Script: s.Script, Args: s.Args,
		Outputs: s.Outputs, OutputOrder: s.OutputOrder,
		Env: s.Env, SecretEnv: s.SecretEnv, Timeout: s.Timeout, Grace: s.Grace,
	}
}

// build builds the attempt's pod. It is called beside the loop, before the pod can exist.
func (a *attempt) build(ctx context.Context) (*corev1.Pod, error) {
	pod, digest, err := a.d.pod(ctx, a)
	if err != nil {
		return nil, err
	}
	b := &built{digest, defaultGrace}
	if s := pod.Spec.TerminationGracePeriodSeconds; s != nil {
		b.grace = time.Duration(*s) * time.Second
	}
	a.built.Store(b)
	return pod, nil
}

// pod returns the pod of the attempt: the step's pod in the program, with the attempt's identity and task, and with more
// memory if an earlier attempt ran out of memory. digest is the digest of the pod, which its annotation contains.
func (d *driver) pod(ctx context.Context, a *attempt) (pod *corev1.Pod, digest string, err error) {
	p := a.spec.Def
	t, err := d.loaded.pods.parse(p.Pod)
	if err != nil {
		return nil, "", fmt.Errorf("the program has no pod for the step: %w", err)
	}
	d.renamed.apply(&t.Spec)
	i := slices.IndexFunc(t.Spec.Containers, func(c corev1.Container) bool { return c.Name == kube.ContainerMain })
	if i < 0 {
		return nil, "", fmt.Errorf("the step's pod has no container %q", kube.ContainerMain)
	}
	main := &t.Spec.Containers[i]
	task := step.Task{Spec: *a.task(), StoreGrace: d.program.Target.StoreGrace}
	task.Program = forWrapper(task.Program)
	value, err := step.EncodeTask(ctx, d.store, &task)
	if err != nil {
		return nil, "", err
	}
	main.Env = append(main.Env, corev1.EnvVar{Name: kube.EnvSpec, Value: value})
	if key := d.sealKey(a.id); key != "" {
		main.Env = append(main.Env, corev1.EnvVar{Name: kube.EnvSeal, Value: key})
	}
	if a.spec.OOMs > 0 && p.Retry.OOMFactor > 1 {
		grow(&t.Spec, math.Pow(p.Retry.OOMFactor, float64(a.spec.OOMs)))
	}
	avoid(&t.Spec, a.spec.Avoid)
	labels, annotations := t.Labels, t.Annotations
	if labels == nil {
		labels = map[string]string{}
	}
	if annotations == nil {
		annotations = map[string]string{}
	}
	labels[kube.LabelRun], labels[kube.LabelRunUID] = kube.LabelValue(d.o.Job), d.o.JobUID
	labels[kube.LabelStep], labels[kube.LabelAttempt] = kube.LabelValue(record.Address(a.id.Step).SafeName()), strconv.Itoa(a.id.Attempt)
	for _, h := range a.spec.Slots {
		labels[groups.Label(d.renamed.group(d.program.Project), h.Group)] = h.Group
	}
	annotations[kube.AnnotationStep] = a.id.Step
	if a.spec.Key != "" {
		annotations[kube.AnnotationKey] = a.spec.Key
	}
	no := false
	out := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: a.name, Namespace: d.o.Namespace, Labels: labels, Annotations: annotations, Finalizers: t.Finalizers,
			// Not as its controller: a Job counts the pods that it controls.
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: "batch/v1", Kind: "Job", Name: d.o.Job, UID: types.UID(d.o.JobUID), Controller: &no,
			}},
		},
		Spec: t.Spec,
	}
	data, err := out.Marshal() // the same pod has the same encoding: keys are sorted
	if err != nil {
		return nil, "", err
	}
	digest = program.Digest(data)
	annotations[kube.AnnotationSpec] = digest
	return out, digest, nil
}

// ownedBy reports whether a pod belongs to the Job with this UID.
func ownedBy(p *corev1.Pod, job string) bool {
	return slices.ContainsFunc(p.OwnerReferences, func(o metav1.OwnerReference) bool { return string(o.UID) == job })
}

// owned returns the attempt that a pod was created for, if it is a pod of this run.
func (d *driver) owned(p *corev1.Pod) (id record.AttemptID, ok bool) {
	n, err := strconv.Atoi(p.Labels[kube.LabelAttempt])
	return record.AttemptID{Step: p.Annotations[kube.AnnotationStep], Attempt: n}, err == nil && ownedBy(p, d.o.JobUID)
}

// grow increases the memory of the main container, and of the init containers that the user has added: it is not known which of
// them ran out of memory.
func grow(spec *corev1.PodSpec, factor float64) {
	for i := range spec.InitContainers {
		if c := &spec.InitContainers[i]; c.Name != kube.ContainerAgent {
			raise(c, factor)
		}
	}
	for i := range spec.Containers {
		if c := &spec.Containers[i]; c.Name == kube.ContainerMain {
			raise(c, factor)
		}
	}
}

// avoid keeps the pod off nodes, in addition to what its affinity requires. Terms of an affinity are alternatives, so that each needs
// the condition, and a field has one name in each.
func avoid(spec *corev1.PodSpec, nodes []string) {
	if len(nodes) == 0 {
		return
	}
	if spec.Affinity == nil {
		spec.Affinity = &corev1.Affinity{}
	}
	if spec.Affinity.NodeAffinity == nil {
		spec.Affinity.NodeAffinity = &corev1.NodeAffinity{}
	}
	required := &spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	if *required == nil {
		*required = &corev1.NodeSelector{}
	}
	if len((*required).NodeSelectorTerms) == 0 {
		(*required).NodeSelectorTerms = make([]corev1.NodeSelectorTerm, 1)
	}
	for i := range (*required).NodeSelectorTerms {
		term := &(*required).NodeSelectorTerms[i]
		if i > 0 && len(term.MatchExpressions)+len(term.MatchFields) == 0 {
			continue // an empty term matches no node
		}
		for _, node := range nodes {
			term.MatchFields = append(term.MatchFields, corev1.NodeSelectorRequirement{
				Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpNotIn, Values: []string{node},
			})
		}
	}
}

// raise increases the memory of a container, in whole MiB.
func raise(c *corev1.Container, factor float64) {
	for _, list := range []corev1.ResourceList{c.Resources.Requests, c.Resources.Limits} {
		q, ok := list[corev1.ResourceMemory]
		if !ok {
			continue
		}
		const mebi = 1 << 20
		most := float64(math.MaxInt64 / 2 / mebi)
		list[corev1.ResourceMemory] = *resource.NewQuantity(int64(math.Min(math.Ceil(float64(q.Value())/mebi*factor), most))*mebi, resource.BinarySI)
	}
}
