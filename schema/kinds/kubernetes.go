package kinds

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// cluster is the version of the language that knows of Kubernetes.
const cluster = "v0.2"

// storeGrace is the store_grace of a stack that doesn't set it.
const storeGrace = 15 * time.Minute

// clusterVersion is how a version of Kubernetes is written.
const clusterVersion = `^v?[0-9]+\.[0-9]+(\.[0-9]+)?[+.-]?[0-9A-Za-z.+-]*$`

// kubernetes is the orchestrator whose steps are pods that pipec's coordinator starts.
func kubernetes() *Orchestrator {
	return &Orchestrator{
		Kind: "kubernetes", Doc: "pods of a cluster", Pods: true, SharedStore: true,
		Attributes: []Attribute{
			{Name: "context", Type: "string", Doc: "A context of the kubeconfig. Without it, the current context is used, and in a pod the cluster of the pod."},
			{Name: "eks_cluster", Type: "string", Doc: "The name of an EKS cluster, instead of a context."},
			{Name: "in_cluster", Type: "bool", Default: "false", Doc: "pipec itself runs in the cluster."},
			{Name: "namespace", Type: "string", Default: `"default"`, Doc: "The namespace of all objects."},
			{Name: "synchronous", Type: "bool", Default: "false", Doc: "`run` waits for the end and streams the logs of all pods."},
			{Name: "create_namespace", Type: "bool", Default: "false", Since: cluster, Doc: "`apply` creates the namespace if it is missing."},
			{Name: "kubernetes_version", Type: "string", Since: cluster, Doc: "The cluster's version, such as `\"1.36\"`, if the compiler can't query it."},
			{Name: "wrapper", Type: "string", OneOf: []string{"auto", "image", "init", "included"}, Default: `"auto"`, Since: cluster, Doc: "How pipec's agent gets into the pod of a step. `image`: by a volume of its image. `init`: by an init container that copies it. `included`: the images of all steps contain it, as `/pipec-agent/pipec-agent`. `auto`: `image` from Kubernetes 1.36 on, otherwise `init`."},
			{Name: "store_grace", Type: "string", Format: "duration", Default: `"15m"`, Since: cluster, Doc: "How long a step tries to reach the store, outside of its timeout."},
			{Name: "on_lost_node", Type: "string", Default: `"wait"`, Since: cluster, Doc: "What happens to a step on a node that can't be reached: `wait` until the node is back or deleted, or `retry_after(10m)`, which may run the step twice for a while."},
			{Name: "ttl", Type: "string", Format: "duration", Default: `"24h"`, Since: cluster, Doc: "How long the Job of a run that has ended remains, with the pods that it has left: `ttlSecondsAfterFinished`, at least 1m. The records of the run, with its logs, are in the store and remain."},
		},
		Read:     readKubernetes,
		Describe: describeKubernetes,
	}
}

// describeKubernetes returns the kind and the namespace. A faulty stack may have no namespace.
func describeKubernetes(o *program.Orchestrator) string {
	if o.Namespace == "" {
		return o.Kind
	}
	return o.Kind + " (" + o.Namespace + ")"
}

func readKubernetes(v Values, o *program.Orchestrator) []Fault {
	o.Context, o.EKSCluster = v.String("context"), v.String("eks_cluster")
	o.InCluster, o.Synchronous, o.CreateNamespace = v.Bool("in_cluster"), v.Bool("synchronous"), v.Bool("create_namespace")
	o.Wrapper, o.StoreGrace = v.String("wrapper"), v.Duration("store_grace", storeGrace)
	namespace, faults := objectName(v, "namespace", validation.IsDNS1123Label)
	if o.Namespace = namespace; namespace == "" {
		o.Namespace = "default"
	}
	faults = append(append(faults, readVersion(v, o)...), readTTL(v, o)...)
	var lost []Fault
	o.OnLostNode, lost = onLostNode(v)
	return append(append(faults, lost...), namedTwice(v)...)
}

// The bounds of ttl. Commands that follow a run see the end of its Job, and the API server stores seconds in 32 bits.
const (
	minTTL = time.Minute
	maxTTL = math.MaxInt32 * time.Second
)

func readTTL(v Values, o *program.Orchestrator) []Fault {
	ttl := v.Duration("ttl", 0)
	switch _, set := v["ttl"]; {
	case !set:
	case ttl.D() < minTTL:
		return []Fault{{Attribute: "ttl", Text: "`ttl` must be at least 1m", Detail: "Commands that follow a run look at its Job when it has ended."}}
	case ttl.D() > maxTTL:
		return []Fault{{Attribute: "ttl", Text: "`ttl` must be at most 68 years"}}
	}
	o.TTL = ttl
	return nil
}

// readVersion reads kubernetes_version, and checks what depends on it.
func readVersion(v Values, o *program.Orchestrator) []Fault {
	text := v.String("kubernetes_version")
	if text == "" {
		return nil
	}
	if ok, _ := regexp.MatchString(clusterVersion, text); !ok {
		return []Fault{{
			Attribute: "kubernetes_version", Text: fmt.Sprintf("%q is not a valid Kubernetes version", text),
			Detail: `It is written as "1.36" or "v1.36.2".`,
		}}
	}
	o.Version = text
	if o.Wrapper != "image" || kube.AtLeast(text, kube.ImageVolumeFrom) {
		return nil
	}
	return []Fault{{
		Attribute: "wrapper", Text: fmt.Sprintf("Kubernetes %s has no volumes from images", text),
		Suggestion: fmt.Sprintf(`write wrapper = "init", or remove wrapper; "image" requires Kubernetes %s or later`, kube.ImageVolumeFrom),
		See:        "kubernetes_version", SeeText: "the version is given here",
	}}
}

// onLostNode reads wait, which is 0, or retry_after(10m).
func onLostNode(v Values) (program.Duration, []Fault) {
	text, set := v["on_lost_node"].(string)
	if !set || text == "wait" {
		return 0, nil
	}
	inner, isRetry := strings.CutPrefix(text, "retry_after(")
	inner, closed := strings.CutSuffix(inner, ")")
	if d, err := time.ParseDuration(strings.TrimSpace(inner)); isRetry && closed && err == nil && d > 0 {
		return program.Duration(d), nil
	}
	f := Fault{
		Attribute: "on_lost_node", Text: fmt.Sprintf("`on_lost_node` can't be %q", text),
		Detail: `It is "wait", or "retry_after(10m)" with any duration above zero.`,
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		f.Suggestion = fmt.Sprintf(`did you mean "retry_after(%s)"?`, text)
	}
	return 0, []Fault{f}
}

// namedTwice reports a cluster that is named in two ways.
func namedTwice(v Values) []Fault {
	var ways []string
	for _, name := range []string{"context", "eks_cluster"} {
		if v.String(name) != "" {
			ways = append(ways, name)
		}
	}
	if v.Bool("in_cluster") {
		ways = append(ways, "in_cluster")
	}
	if len(ways) < 2 {
		return nil
	}
	return []Fault{{
		Code: "duplicate", Attribute: ways[1], AtName: true,
		Text: fmt.Sprintf("a stack names its cluster once: set %s, not both", strings.Join(ways, " or ")),
	}}
}
