package cluster

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"pipec.dev/pipec/schema/kube"
)

// prune plans the removal of items that are no longer desired, except those that a live run needs.
func (p *planner) prune(ctx context.Context, items []item) ([]Change, error) {
	desired := map[string]bool{}
	for i := range p.Objects {
		desired[p.Objects[i].GetKind()+" "+p.Objects[i].GetName()] = true
	}
	items = slices.DeleteFunc(items, func(i item) bool { return desired[kinds[i.kind].name+" "+i.meta.Name] })
	return p.remove(ctx, items)
}

// remove returns the changes that delete items, in the order of deletion.
func (c *client) remove(ctx context.Context, items []item) ([]Change, error) {
	if len(items) == 0 {
		return nil, nil
	}
	runs, err := c.liveRuns(ctx)
	if err != nil {
		return nil, err
	}
	var out []Change
	for _, i := range slices.Backward(items) {
		ch := Change{Action: Delete, Kind: kinds[i.kind].name, Name: i.meta.Name, Pipeline: pipelineOf(i.meta), Live: &Live{UID: string(i.meta.UID)}}
		if run := runs.need(i); run != "" {
			ch.Action, ch.Why = Keep, run
		}
		out = append(out, ch)
	}
	return out, nil
}

// run is a Job that has not ended.
type run struct {
	name       string
	label      string // of the pipeline
	pipeline   string // the whole name of the pipeline, if the Job has it
	configMaps []string
}

type liveRuns []run

// liveRuns lists pipec's Jobs that have not ended.
func (c *client) liveRuns(ctx context.Context) (liveRuns, error) {
	list, err := c.objects.Resource(jobs).Namespace(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: kube.LabelManagedBy + "=" + kube.Manager})
	if err != nil {
		return nil, c.cluster.Explain(err)
	}
	var out liveRuns
	for i := range list.Items {
		u := &list.Items[i]
		if !over(u) {
			out = append(out, run{
				name: u.GetName(), label: u.GetLabels()[kube.LabelPipeline],
				pipeline:   cmp.Or(u.GetAnnotations()[kube.AnnotationPipeline], u.GetLabels()[kube.LabelPipeline]),
				configMaps: configMaps(u, "spec", "template", "spec"),
			})
		}
	}
	return out, nil
}

// over reports whether a Job has ended, with any outcome.
func over(job *unstructured.Unstructured) bool {
	list, _, _ := unstructured.NestedSlice(job.Object, "status", "conditions")
	return slices.ContainsFunc(list, func(e any) bool {
		c, _ := e.(map[string]any)
		return (c["type"] == "Complete" || c["type"] == "Failed") && c["status"] == string(corev1.ConditionTrue)
	})
}

// configMaps returns the ConfigMaps that a pod spec mounts. The pod spec is at a path of an object.
func configMaps(u *unstructured.Unstructured, place ...string) []string {
	var out []string
	add := func(m map[string]any) {
		if name, _, _ := unstructured.NestedString(m, "configMap", "name"); name != "" {
			out = append(out, name)
		}
	}
	volumes, _, _ := unstructured.NestedSlice(u.Object, append(slices.Clone(place), "volumes")...)
	for _, v := range volumes {
		volume, _ := v.(map[string]any)
		add(volume)
		sources, _, _ := unstructured.NestedSlice(volume, "projected", "sources")
		for _, s := range sources {
			source, _ := s.(map[string]any)
			add(source)
		}
	}
	return out
}

// need returns the name of a live run that needs an item, or "". A run needs its program, and the service accounts and
// roles of its pipeline. It does not need its CronJob, which is removed without its Jobs.
func (l liveRuns) need(i item) string {
	for _, r := range l {
		switch kinds[i.kind].name {
		case "CronJob":
		case "ConfigMap":
			if slices.Contains(r.configMaps, i.meta.Name) {
				return r.name
			}
		default:
			if r.label == i.meta.Labels[kube.LabelPipeline] {
				return r.name
			}
		}
	}
	return ""
}

// of returns the runs of these pipelines that have not ended.
func (l liveRuns) of(pipelines []string) []LiveRun {
	var out []LiveRun
	for _, r := range l {
		if slices.ContainsFunc(pipelines, func(p string) bool { return kube.LabelValue(p) == r.label }) {
			out = append(out, LiveRun{Name: r.name, Pipeline: r.pipeline})
		}
	}
	slices.SortFunc(out, func(a, b LiveRun) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
