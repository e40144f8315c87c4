package pods

import (
	"encoding/json"
	"maps"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/kube/restricted"
	"pipec.dev/pipec/schema/program"
)

// Stack checks what an `orchestrator` block sets for all pods of a stack, and for those of coordinators.
func Stack(project *evaluate.Project, o *program.Orchestrator, b *decode.Block) {
	c := stackCheck{reader{project: project, diags: project.Diags}}
	for _, ref := range c.pullSecrets(b) {
		o.ImagePullSecrets = append(o.ImagePullSecrets, ref.Name)
	}
	if n := b.One("default_resources"); n != nil {
		o.DefaultResources = c.resources(n, pod.AgentMemory, "pipec's agent", true)
	}
	if n := b.One("coordinator"); n != nil {
		o.Coordinator = c.coordinator(n)
	}
}

// stackCheck checks the parts of an `orchestrator` block that configure pods.
type stackCheck struct{ reader }

// coordinator checks a `coordinator` block. It returns nil if the block sets nothing.
func (c stackCheck) coordinator(written *decode.Block) *program.Coordinator {
	b := c.filled(written)
	out := &program.Coordinator{
		ServiceAccount: attribute.ObjectName(c.project, b, "service_account", validation.IsDNS1123Subdomain),
		NodeSelector:   c.labels(b, "node_selector"),
		Labels:         c.ownLabels(b),
		Annotations:    c.ownAnnotations(b),
	}
	if n := b.One("resources"); n != nil {
		out.Resources = c.resources(n, pod.CoordinatorMemory, "the coordinator", false)
	}
	if n := b.One("security"); n != nil {
		out.Security = c.security(c.filled(n))
	}
	s := specCheck{reader: c.reader, block: b, fields: fields{}}
	s.tolerations()
	s.affinity()
	s.spread()
	s.dns()
	s.names()
	s.hostAliases()
	if len(s.fields) > 0 {
		data, err := json.Marshal(s.fields)
		if err != nil { // cannot happen with checked values
			c.diags.Add(diag.New("evaluation", b.DefRange, "the pod of the coordinator can't be encoded: %v", err))
		}
		out.PodPatch = data
	}
	c.restricted(b, out)
	if data, err := json.Marshal(out); err == nil && string(data) == "{}" {
		return nil
	}
	return out
}

// filled returns a block of a stack without its attributes that are "", which count as left out.
func (c stackCheck) filled(b *decode.Block) *decode.Block {
	out := *b
	out.Attrs = maps.Clone(b.Attrs)
	for name, a := range b.Attrs {
		if def := b.Def.Attribute(name); def == nil || def.Type != "string" {
			continue
		}
		if v, ok := c.project.Constants.Const(a.Expr); ok && !v.IsNull() && v.Type() == cty.String && !evaluate.IsSensitive(v) && v.AsString() == "" {
			delete(out.Attrs, name)
		}
	}
	return &out
}

// resources checks a block of requests and limits. least is the memory, in bytes, that who needs; limits reports that a request
// for memory is also the limit. It returns nil if the block sets nothing.
func (c stackCheck) resources(written *decode.Block, least int64, who string, limits bool) *program.Resources {
	b := c.filled(written)
	check := resourceCheck{reader: c.reader, block: b, pod: &model.Pod{}}
	r := check.amounts()
	check.room("memory_limit", r.MemoryLimit, least, who)
	if r.MemoryLimit == "" && limits {
		check.room("memory", r.Memory, least, who)
	}
	if r.CPU+r.Memory+r.Storage+r.CPULimit+r.MemoryLimit == "" {
		return nil
	}
	return r
}

// security checks who the coordinator runs as. Its other rights are always those of `restricted`. It
// returns nil if the block sets nothing.
func (c stackCheck) security(b *decode.Block) *program.Security {
	s := securityCheck{reader: c.reader, block: b}
	out := &program.Security{RunAsUser: s.id("run_as_user"), RunAsGroup: s.id("run_as_group")}
	if out.RunAsUser == "0" {
		c.diags.Add(diag.New("invalid-value", b.Attr("run_as_user").Range(), "user 0 is root, and the coordinator always complies with Pod Security `restricted`"))
		out.RunAsUser = ""
	}
	if out.RunAsUser+out.RunAsGroup == "" {
		return nil
	}
	return out
}

// restricted reports what makes the coordinator's pod leave Pod Security `restricted`, such as an annotation of AppArmor.
func (c stackCheck) restricted(b *decode.Block, out *program.Coordinator) {
	if len(out.Annotations) == 0 && len(out.PodPatch) == 0 {
		return
	}
	t := pod.CoordinatorPod()
	err := pod.Coordinator(&program.Target{Coordinator: out}, t)
	var reasons []string
	if err == nil {
		reasons, err = restricted.Reasons(t)
	}
	if err != nil {
		c.diags.Add(diag.New("evaluation", b.DefRange, "the pod of the coordinator can't be checked: %v", err))
	} else if len(reasons) > 0 {
		at := b.DefRange
		if e := b.Attr("annotations"); e != nil {
			at = e.Range()
		}
		c.diags.Add(diag.New("not-restricted", at, "the pod of the coordinator leaves Pod Security `restricted`").
			WithDetail("%s.", strings.Join(reasons, ";\n")).
			WithSuggestion("remove this: the coordinator always complies with `restricted`"))
	}
}
