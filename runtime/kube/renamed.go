package kube

import (
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// renamed are the names of the definition's objects that differ from those in the program. A tool such as kustomize adds a
// prefix or a suffix to the names of all objects, and adapts the references between them. It can't adapt the program, which is
// compressed. The coordinator's own Job contains the new names. The zero value renames nothing.
type renamed struct {
	// pattern is what was added to names, around a *: "dev-*", "*-eu". "": nothing.
	pattern  string
	accounts map[string]string // of the steps
	secrets  map[string]string // the Secrets that the Job and the steps both use
	images   map[string]string // the agent's
}

// renamedIn compares a Job with the program that it runs.
func renamedIn(job *batchv1.Job, p *program.Program, digest string) renamed {
	var out renamed
	spec, t := &job.Spec.Template.Spec, p.Target
	if prefix, suffix, ok := strings.Cut(programIn(spec), kube.ProgramName(p.Pipeline, digest, 0)); ok && prefix+suffix != "" {
		steps := kube.StepsName(p.Pipeline)
		out.pattern, out.accounts = prefix+"*"+suffix, map[string]string{steps: prefix + steps + suffix}
	}
	out.secrets = map[string]string{}
	for i, name := range t.ImagePullSecrets {
		if i < len(spec.ImagePullSecrets) && strings.Contains(spec.ImagePullSecrets[i].Name, name) {
			out.secrets[name] = spec.ImagePullSecrets[i].Name
		}
	}
	for i := range spec.Containers {
		c := &spec.Containers[i]
		if c.Name != kube.ContainerCoordinator {
			continue
		}
		if c.Image != "" && c.Image != t.Agent {
			out.images = map[string]string{t.Agent: c.Image}
		}
		for _, from := range c.EnvFrom {
			if from.SecretRef != nil && strings.HasPrefix(from.Prefix, kube.EnvStorePrefix) && t.Store.Secret != "" {
				out.secrets[t.Store.Secret] = from.SecretRef.Name
			}
		}
	}
	return out
}

// rename makes the driver use the names of the definition that its Job belongs to. It is called before the run begins.
func (d *driver) rename(job *batchv1.Job) {
	d.renamed = renamedIn(job, d.program, d.loaded.digest)
	d.groups.Of(d.renamed.group(d.program.Project))
}

// programIn returns the name of the ConfigMap with the program, or its first part, that the pod of a coordinator mounts.
func programIn(spec *corev1.PodSpec) string {
	for _, v := range spec.Volumes {
		if v.Name == kube.VolumeProgram && v.Projected != nil && len(v.Projected.Sources) > 0 && v.Projected.Sources[0].ConfigMap != nil {
			return v.Projected.Sources[0].ConfigMap.Name
		}
	}
	return ""
}

// group returns the name under which a project's concurrency groups are kept. Definitions that were renamed in different ways
// have different groups.
func (r *renamed) group(project string) string {
	if r.pattern == "" {
		return project
	}
	return project + "\x00" + r.pattern
}

// apply sets the new names in the pod of a step.
func (r *renamed) apply(spec *corev1.PodSpec) {
	replace := func(names map[string]string, name *string) {
		if to, ok := names[*name]; ok {
			*name = to
		}
	}
	replace(r.accounts, &spec.ServiceAccountName)
	for i := range spec.ImagePullSecrets {
		replace(r.secrets, &spec.ImagePullSecrets[i].Name)
	}
	for _, v := range spec.Volumes {
		if v.Name == kube.VolumeAgent && v.Image != nil {
			replace(r.images, &v.Image.Reference)
		}
	}
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			c := &list[i]
			if c.Name == kube.ContainerAgent {
				replace(r.images, &c.Image)
			}
			for _, from := range c.EnvFrom {
				if from.SecretRef != nil && strings.HasPrefix(from.Prefix, kube.EnvStorePrefix) {
					replace(r.secrets, &from.SecretRef.Name)
				}
			}
		}
	}
}
