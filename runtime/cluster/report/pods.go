package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/runtime/shell"
	"pipec.dev/pipec/schema/program"
)

// Pod is the pod of a step: what a reviewer looks for. The program has all of it.
type Pod struct {
	Step string `json:"step"` // with the called pipeline before it: CALLED.STEP
	// For are the values of params, or the instances, that the step has this pod for; "": all, or all others.
	For     string `json:"for,omitempty"`
	Image   string `json:"image"`
	Command string `json:"command"` // as a shell reads it; ${…} is evaluated at run time
	// Resources are the requests and limits, such as "cpu 500m, memory 256Mi, limit memory 512Mi"; "" if there are none.
	Resources string `json:"resources,omitempty"`
	// Security is what the pod may do: "restricted", or what it asks for beyond that.
	Security string `json:"security"`
	Account  string `json:"service_account,omitempty"`
}

// Pods returns the pods of a bound program, in the order of its steps. leave are the steps that violate Pod Security
// `restricted`.
func Pods(p *program.Program, leave []Leave) ([]Pod, error) {
	var out []Pod
	add := func(prefix string, s *program.Step) error {
		if s.Pod == nil || !s.Process() {
			return nil
		}
		pod, err := podOf(prefix, s, leave)
		if err != nil {
			return err
		}
		if len(s.VariantParams) == 0 {
			out = append(out, pod)
		}
		for i, keys := range variantKeys(s) {
			if pod, err = podOf(prefix, s.With(&s.Variants[i]), leave); err != nil {
				return err
			}
			pod.For = cases(s, keys)
			out = append(out, pod)
		}
		return nil
	}
	for _, s := range p.All() {
		if err := add("", s); err != nil {
			return nil, err
		}
	}
	for i := range p.Called {
		c := &p.Called[i]
		name, _, _ := strings.Cut(c.Name, " ")
		for _, steps := range [][]program.Step{c.Steps, c.Finally} {
			for j := range steps {
				if err := add(name+".", &steps[j]); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

func podOf(prefix string, s *program.Step, leave []Leave) (one Pod, err error) {
	var spec corev1.PodTemplateSpec
	if err := json.Unmarshal(s.Pod, &spec); err != nil {
		return one, fmt.Errorf("the pod of step %q: %w", s.Name, err)
	}
	one = Pod{Step: prefix + s.Name, Command: command(s), Account: spec.Spec.ServiceAccountName, Security: "restricted"}
	if i := slices.IndexFunc(leave, func(l Leave) bool { return l.Step == s.Name }); i >= 0 {
		one.Security = strings.Join(leave[i].Reasons, ", ")
	}
	if len(spec.Spec.Containers) > 0 {
		c := &spec.Spec.Containers[0]
		one.Image, one.Resources = c.Image, resources(&c.Resources)
	}
	return one, nil
}

// variantKeys returns the keys for which a step has each of its variants, sorted.
func variantKeys(s *program.Step) [][]string {
	out := make([][]string, len(s.Variants))
	for _, key := range slices.Sorted(maps.Keys(s.Variant)) {
		if i := s.Variant[key]; i >= 0 && i < len(out) {
			out[i] = append(out[i], key)
		}
	}
	return out
}

// someCases is how many values, or instances, of one pod are named.
const someCases = 4

// cases describes keys of a step's variants.
func cases(s *program.Step, keys []string) string {
	rest := len(keys) - someCases
	if rest > 1 {
		keys = keys[:someCases]
	}
	var out []string
	for _, key := range keys {
		var one []string
		if len(s.VariantParams) > 0 {
			d := json.NewDecoder(strings.NewReader(key))
			var values []json.RawMessage
			if d.Decode(&values) != nil || len(values) != len(s.VariantParams) {
				continue
			}
			for i, name := range s.VariantParams {
				one = append(one, "param."+name+" = "+string(values[i]))
			}
			key = key[d.InputOffset():]
		}
		if key != "" {
			one = append(one, "each.key = "+key)
		}
		out = append(out, strings.Join(one, ", "))
	}
	text := strings.Join(out, "; or ")
	if rest > 1 {
		text += fmt.Sprintf("; or %d more", rest)
	}
	return text
}

// command returns what a step runs.
func command(s *program.Step) string {
	switch {
	case s.Python != "":
		return "python " + s.Python
	case s.Script != "":
		return script(s)
	case s.CommandList != nil:
		return "${" + s.CommandList.Text() + "}"
	}
	words := make([]string, len(s.Command))
	for i := range s.Command {
		v := &s.Command[i]
		var text string
		switch {
		case v.Const != nil && json.Unmarshal(v.Const, &text) == nil:
			words[i] = shell.Word(text)
		case v.Const != nil:
			words[i] = string(v.Const)
		case v.Ref != "":
			words[i] = "${" + v.Ref + "}"
		default:
			words[i] = v.Text()
		}
	}
	return strings.Join(words, " ")
}

// resources writes requests, and limits that differ from them.
func resources(r *corev1.ResourceRequirements) string {
	var out []string
	list := func(prefix string, of, than corev1.ResourceList) {
		names := make([]string, 0, len(of))
		for name := range of {
			names = append(names, string(name))
		}
		slices.Sort(names)
		for _, name := range names {
			q := of[corev1.ResourceName(name)]
			if other, ok := than[corev1.ResourceName(name)]; !ok || other.Cmp(q) != 0 {
				out = append(out, prefix+name+" "+q.String())
			}
		}
	}
	list("", r.Requests, nil)
	list("limit ", r.Limits, r.Requests)
	return strings.Join(out, ", ")
}

// somePods is how many pods of a pipeline are shown, unless all are.
const somePods = 10

// pods prints the pods of a pipeline that is applied for the first time, those of new steps of another one, or all with Full.
func (t *text) pods(r *Report, p *Pipeline) {
	pods := p.Pods
	if !t.Full && !r.isNew(p.Name) {
		added := r.added(p.Name)
		pods = slices.DeleteFunc(slices.Clone(pods), func(pod Pod) bool { return !added[pod.Step] })
	}
	for i := range pods {
		if i == somePods && len(pods) > somePods+1 && !t.Full {
			t.line("  %s", t.paint(dim, fmt.Sprintf("(and %d more pods; --full shows them)", len(pods)-i)))
			return
		}
		pod := &pods[i]
		line := "  pod " + pod.Step
		if pod.For != "" {
			line += " (" + pod.For + ")"
		}
		line += ": " + pod.Image
		if pod.Resources != "" {
			line += "; " + pod.Resources
		}
		line += "; " + pod.Security
		if t.Full && pod.Account != "" {
			line += "; service account " + pod.Account
		}
		t.line("%s", line)
		t.line("      %s", t.paint(dim, t.short(pod.Command)))
	}
}

// short shortens a text to a line.
func (t *text) short(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if t.Full {
		return text
	}
	return t.value(json.RawMessage(text), 0)
}
