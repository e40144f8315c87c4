package compiler_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pipec.dev/pipec/compiler"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
)

// knob is an attribute that sets something in a pod: how it is written, with $ for its value, and the paths of two of its
// values in the pod. In the path, $ is the value too, and a name selects an item of a list by its name.
type knob struct {
	src, path string
	a, b      string   // the values, as HCL writes them
	want      []string // the values at the path; nil: a and b themselves
	same      bool     // the attribute permits something, and changes nothing by itself
}

const main = "spec|containers|main|"

// knobs are all such attributes of the language. TestKnobs fails if the table has one that is missing here.
var knobs = map[string]knob{
	"image":               {src: `image = $`, a: `"debian:1"`, b: `"debian:2"`, path: main + "image"},
	"node_selector":       {src: `node_selector = { disk = $ }`, a: `"ssd"`, b: `"hdd"`, path: "spec|nodeSelector|disk"},
	"service_account":     {src: `service_account = $`, a: `"one"`, b: `"two"`, path: "spec|serviceAccountName"},
	"labels":              {src: `labels = { team = "t-${$}" }`, a: `"x"`, b: `"y"`, path: "metadata|labels|team", want: []string{"t-x", "t-y"}},
	"annotations":         {src: `annotations = { "example.com/note" = $ }`, a: `"x"`, b: `"y"`, path: "metadata|annotations|example.com/note"},
	"pod":                 {src: `pod = { hostname = $ }`, a: `"x"`, b: `"y"`, path: "spec|hostname"},
	"image_pull_secrets":  {src: `image_pull_secrets = [$]`, a: `"x"`, b: `"y"`, path: "spec|imagePullSecrets|0|name"},
	"priority_class":      {src: `priority_class = $`, a: `"x"`, b: `"y"`, path: "spec|priorityClassName"},
	"runtime_class":       {src: `runtime_class = $`, a: `"x"`, b: `"y"`, path: "spec|runtimeClassName"},
	"host_aliases":        {src: `host_aliases = { "10.0.0.7" = [$] }`, a: `"x"`, b: `"y"`, path: "spec|hostAliases|0|hostnames|0"},
	"secret_env.secret":   {src: "secret_env \"T\" {\n secret = $\n key = \"k\"\n}", a: `"x"`, b: `"y"`, path: main + "env|T|valueFrom|secretKeyRef|name"},
	"secret_env.key":      {src: "secret_env \"T\" {\n secret = \"s\"\n key = $\n}", a: `"x"`, b: `"y"`, path: main + "env|T|valueFrom|secretKeyRef|key"},
	"toleration.key":      {src: "toleration {\n key = $\n}", a: `"x"`, b: `"y"`, path: "spec|tolerations|0|key"},
	"toleration.operator": {src: "toleration {\n key = \"k\"\n operator = $\n}", a: `"Exists"`, b: `"Equal"`, path: "spec|tolerations|0|operator"},
	"toleration.value":    {src: "toleration {\n key = \"k\"\n value = $\n}", a: `"x"`, b: `"y"`, path: "spec|tolerations|0|value"},
	"toleration.effect":   {src: "toleration {\n key = \"k\"\n effect = $\n}", a: `"NoSchedule"`, b: `"NoExecute"`, path: "spec|tolerations|0|effect"},
	"toleration.seconds":  {src: "toleration {\n key = \"k\"\n effect = \"NoExecute\"\n seconds = $\n}", a: `5`, b: `6`, path: "spec|tolerations|0|tolerationSeconds"},

	"resources.cpu":               resource(`cpu = $`, `"500m"`, `"2"`, "requests|cpu"),
	"resources.memory":            resource(`memory = $`, `"1Gi"`, `"2Gi"`, "limits|memory"),
	"resources.ephemeral_storage": resource(`ephemeral_storage = $`, `"1Gi"`, `"2Gi"`, "limits|ephemeral-storage"),
	"resources.cpu_limit":         resource(`cpu_limit = $`, `"1"`, `"2"`, "limits|cpu"),
	"resources.memory_limit":      resource(`memory_limit = $`, `"1Gi"`, `"2Gi"`, "limits|memory"),
	"resources.extended":          resource(`extended = { "example.com/x" = $ }`, `"1"`, `"2"`, "limits|example.com/x"),
	"resources.gpu":               resource(`gpu = $`, `1`, `2`, "limits|nvidia.com/gpu"),
	"resources.gpu_resource":      {src: "resources {\n gpu = 1\n gpu_resource = $\n}", a: `"amd.com/gpu"`, b: `"x.com/gpu"`, path: main + "resources|limits|$", want: []string{"1", "1"}},
	"resources.gpu_type":          {src: "resources {\n gpu = 1\n gpu_type = $\n}", a: `"a100"`, b: `"h100"`, path: "spec|nodeSelector|nvidia.com/gpu.product"},
	"resources.gpu_label":         {src: "resources {\n gpu = 1\n gpu_type = \"t\"\n gpu_label = $\n}", a: `"x.com/kind"`, b: `"y.com/kind"`, path: "spec|nodeSelector|$", want: []string{"t", "t"}},

	"security.run_as_user":      {src: "security {\n run_as_user = $\n}", a: `"1000"`, b: `"1001"`, path: "spec|securityContext|runAsUser"},
	"security.run_as_group":     {src: "security {\n run_as_group = $\n}", a: `"1000"`, b: `"1001"`, path: "spec|securityContext|runAsGroup"},
	"security.read_only_root":   {src: "security {\n read_only_root = $\n}", a: `true`, b: `false`, path: main + "securityContext|readOnlyRootFilesystem", want: []string{"true", ""}},
	"security.privileged":       {src: "security {\n privileged = $\n}", a: `true`, b: `false`, path: main + "securityContext|privileged", want: []string{"true", ""}},
	"security.allow_root":       {src: "security {\n allow_root = $\n run_as_user = $ ? \"0\" : \"7\"\n}", a: `true`, b: `false`, path: "spec|securityContext|runAsUser", want: []string{"0", "7"}},
	"security.add_capabilities": {src: "security {\n add_capabilities = [$]\n}", a: `"SYS_PTRACE"`, b: `"NET_RAW"`, path: main + "securityContext|capabilities|add|0"},
	"security.host_paths":       {src: "security {\n host_paths = $ != \"\"\n}\nvolume \"v\" {\n path = \"/v\"\n host_path = \"/h\"\n}", a: `"x"`, b: `"y"`, path: "spec|volumes|v|hostPath|path", want: []string{"/h", "/h"}, same: true},

	"affinity.node":     affinity("node", `{ nodeSelectorTerms = [{ matchExpressions = [{ key = "k", operator = "In", values = [$] }] }] }`, "nodeAffinity|requiredDuringSchedulingIgnoredDuringExecution|nodeSelectorTerms|0|matchExpressions|0|values|0"),
	"affinity.pod":      affinity("pod", `[{ topologyKey = $, labelSelector = { matchLabels = { a = "b" } } }]`, "podAffinity|requiredDuringSchedulingIgnoredDuringExecution|0|topologyKey"),
	"affinity.pod_anti": affinity("pod_anti", `[{ topologyKey = $, labelSelector = { matchLabels = { a = "b" } } }]`, "podAntiAffinity|requiredDuringSchedulingIgnoredDuringExecution|0|topologyKey"),

	"topology_spread.key":                spread(`key = $`, `"zone"`, `"host"`, "topologyKey"),
	"topology_spread.max_skew":           spread("key = \"k\"\n max_skew = $", `2`, `3`, "maxSkew"),
	"topology_spread.when_unsatisfiable": spread("key = \"k\"\n when_unsatisfiable = $", `"DoNotSchedule"`, `"ScheduleAnyway"`, "whenUnsatisfiable"),
	"topology_spread.match_labels":       {src: "topology_spread {\n key = \"k\"\n match_labels = { a = $ }\n}", a: `"x"`, b: `"y"`, path: "spec|topologySpreadConstraints|0|labelSelector|matchLabels|a"},

	"volume.path":          {src: "volume \"v\" {\n path = $\n scratch = \"1Gi\"\n}", a: `"/x"`, b: `"/y"`, path: main + "volumeMounts|v|mountPath"},
	"volume.claim":         volume(`claim = $`, `"x"`, `"y"`, "persistentVolumeClaim|claimName"),
	"volume.ephemeral":     volume(`ephemeral = $`, `"1Gi"`, `"2Gi"`, "ephemeral|volumeClaimTemplate|spec|resources|requests|storage"),
	"volume.storage_class": volume("ephemeral = \"1Gi\"\n storage_class = $", `"x"`, `"y"`, "ephemeral|volumeClaimTemplate|spec|storageClassName"),
	"volume.access_mode":   volume("ephemeral = \"1Gi\"\n access_mode = $", `"ReadWriteOnce"`, `"ReadWriteMany"`, "ephemeral|volumeClaimTemplate|spec|accessModes|0"),
	"volume.scratch":       volume(`scratch = $`, `"1Gi"`, `"2Gi"`, "emptyDir|sizeLimit"),
	"volume.memory":        volume(`memory = $`, `"1Gi"`, `"2Gi"`, "emptyDir|sizeLimit"),
	"volume.secret":        volume(`secret = $`, `"x"`, `"y"`, "secret|secretName"),
	"volume.config_map":    volume(`config_map = $`, `"x"`, `"y"`, "configMap|name"),
	"volume.items":         volume("secret = \"s\"\n items = { k = $ }", `"x"`, `"y"`, "secret|items|0|path"),
	"volume.host_path":     {src: "security {\n host_paths = true\n}\nvolume \"v\" {\n path = \"/v\"\n host_path = $\n}", a: `"/x"`, b: `"/y"`, path: "spec|volumes|v|hostPath|path"},
	"volume.read_only":     {src: "volume \"v\" {\n path = \"/v\"\n secret = \"s\"\n read_only = $\n}", a: `true`, b: `false`, path: main + "volumeMounts|v|readOnly", want: []string{"true", ""}},
	"volume.sub_path":      {src: "volume \"v\" {\n path = \"/v\"\n scratch = \"1Gi\"\n sub_path = $\n}", a: `"x"`, b: `"y"`, path: main + "volumeMounts|v|subPath"},

	"dns.policy":      {src: "dns {\n policy = $\n}", a: `"Default"`, b: `"ClusterFirst"`, path: "spec|dnsPolicy"},
	"dns.nameservers": {src: "dns {\n nameservers = [$]\n}", a: `"10.0.0.1"`, b: `"10.0.0.2"`, path: "spec|dnsConfig|nameservers|0"},
	"dns.searches":    {src: "dns {\n searches = [$]\n}", a: `"x.local"`, b: `"y.local"`, path: "spec|dnsConfig|searches|0"},
	"dns.options":     {src: "dns {\n options = { ndots = $ }\n}", a: `"1"`, b: `"2"`, path: "spec|dnsConfig|options|ndots|value"},
}

func resource(src, a, b, path string) knob {
	return knob{src: "resources {\n " + src + "\n}", a: a, b: b, path: main + "resources|" + path}
}

func affinity(name, src, path string) knob {
	return knob{src: "affinity {\n " + name + " = { requiredDuringSchedulingIgnoredDuringExecution = " + src + " }\n}", a: `"x"`, b: `"y"`, path: "spec|affinity|" + path}
}

func spread(src, a, b, path string) knob {
	return knob{src: "topology_spread {\n " + src + "\n match_labels = { a = \"b\" }\n}", a: a, b: b, path: "spec|topologySpreadConstraints|0|" + path}
}

func volume(src, a, b, path string) knob {
	return knob{src: "volume \"v\" {\n path = \"/v\"\n " + src + "\n}", a: a, b: b, path: "spec|volumes|v|" + path}
}

func init() {
	for _, kind := range []string{"sidecar", "init"} {
		in := func(src string) string { return kind + " \"c\" {\n " + src + "\n}" }
		at := "spec|initContainers|c|"
		knobs[kind+".image"] = knob{src: in("image = $"), a: `"debian:1"`, b: `"debian:2"`, path: at + "image"}
		knobs[kind+".command"] = knob{src: in("image = \"i:1\"\n command = [$]"), a: `"x"`, b: `"y"`, path: at + "command|0"}
		knobs[kind+".args"] = knob{src: in("image = \"i:1\"\n args = [$]"), a: `"x"`, b: `"y"`, path: at + "args|0"}
		knobs[kind+".env"] = knob{src: in("image = \"i:1\"\n env = { A = $ }"), a: `"x"`, b: `"y"`, path: at + "env|A|value"}
		knobs[kind+".mounts"] = knob{src: "volume \"v\" {\n path = \"/v\"\n scratch = \"1Gi\"\n}\n" + in("image = \"i:1\"\n mounts = { v = $ }"), a: `"/x"`, b: `"/y"`, path: at + "volumeMounts|v|mountPath"}
		knobs[kind+".cpu"] = knob{src: in("image = \"i:1\"\n cpu = $"), a: `"1"`, b: `"2"`, path: at + "resources|requests|cpu"}
		knobs[kind+".memory"] = knob{src: in("image = \"i:1\"\n memory = $"), a: `"1Gi"`, b: `"2Gi"`, path: at + "resources|limits|memory"}
	}
}

// notPod are the attributes and blocks of a step that set nothing in its pod, or that the coordinator and the agent use.
var notPod = strings.Fields(`description command python script args pipeline code inputs outputs when depends_on for_each max_parallel max_instances env timeout
	pending_timeout grace cache continue_on_failure input output retry approval repeat concurrency`)

// knobSource returns a project of one step that contains src; more is added to the pipeline.
func knobSource(src, more string) string {
	if !strings.Contains("\n"+src, "\nimage = ") {
		src = "image = \"debian:12\"\n" + src
	}
	return "stack \"k8s\" {\n orchestrator \"kubernetes\" {\n  context = \"c\"\n }\n artifact_store \"s3\" {\n  path = \"s3://b\"\n }\n}\n" +
		"pipeline \"p\" {\n" + more + "step \"s\" {\ncommand = [\"true\"]\n" + src + "\n}\n}\n"
}

// bound compiles and binds such a project, and returns its last step.
func bound(t *testing.T, source string) *program.Step {
	t.Helper()
	r := compiler.Source("main.pipec.hcl", []byte(source), compiler.Options{Dir: "."})
	if r.Diags.HasErrors() || len(r.Programs) != 1 {
		t.Fatalf("%v\n%s", r.Diags.Sorted(), source)
	}
	p, _, err := pod.Bind(r.Programs[0], r.Stack, nil, pod.Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, source)
	}
	return &p.Steps[len(p.Steps)-1]
}

// dig returns the value at a path in a step's pod as text, or "" if there is none.
func dig(t *testing.T, s *program.Step, path string) string {
	t.Helper()
	var at any
	if err := json.Unmarshal(s.Pod, &at); err != nil {
		t.Fatal(err)
	}
	for part := range strings.SplitSeq(path, "|") {
		switch v := at.(type) {
		case map[string]any:
			at = v[part]
		case []any:
			at = nil
			for i, item := range v {
				if m, ok := item.(map[string]any); ok && m["name"] == part || strconv.Itoa(i) == part {
					at = item
				}
			}
		default:
			return ""
		}
	}
	if at == nil {
		return ""
	}
	return fmt.Sprint(at)
}

// eachKnob calls f for all attributes of a step that are about its pod, by name.
func eachKnob(t *testing.T, f func(name string, a *language.Attribute)) {
	step := language.Root().Block("pipeline").Block("step")
	for _, a := range step.Attributes {
		if !slices.Contains(notPod, a.Name) {
			f(a.Name, a)
		}
	}
	for _, b := range step.Blocks {
		if slices.Contains(notPod, b.Name) {
			continue
		}
		if len(b.Blocks) > 0 {
			t.Errorf("%s has blocks, which nothing here looks at", b.Name)
		}
		for _, a := range b.Attributes {
			f(b.Name+"."+a.Name, a)
		}
	}
}

// TestKnobs checks that every attribute about pods arrives in the pod as it is written. With each of a for_each that is
// known when compiling it arrives in the pod of each instance. A for_each that waits for run time is reported at the
// attribute.
func TestKnobs(t *testing.T) {
	tried := 0
	eachKnob(t, func(name string, a *language.Attribute) {
		k, ok := knobs[name]
		if !ok {
			t.Errorf("%s is in the table, and no test says where it arrives in the pod", name)
			return
		}
		if !a.Each {
			t.Errorf("%s can't be another for each instance", name)
		}
		tried++
		t.Run(name, func(t *testing.T) { k.check(t) })
	})
	if tried != len(knobs) {
		t.Errorf("%d of %d cases are of the table", tried, len(knobs))
	}
}

func (k knob) check(t *testing.T) {
	values := []string{k.a, k.b}
	want := k.want
	if want == nil {
		want = []string{strings.Trim(k.a, `"`), strings.Trim(k.b, `"`)}
	}
	path := func(i int) string { return strings.ReplaceAll(k.path, "$", strings.Trim(values[i], `"`)) }
	with := func(v string) string { return strings.NewReplacer("${$}", "${"+v+"}", "$", v).Replace(k.src) }
	for i, v := range values {
		if got := dig(t, bound(t, knobSource(with(v), "")), path(i)); got != want[i] {
			t.Errorf("%s: %q at %s, not %q", v, got, path(i), want[i])
		}
	}
	list := "for_each = [" + k.a + ", " + k.b + "]\n"
	s := bound(t, knobSource(list+with("each.value"), ""))
	if (len(s.Variants) != 2) != k.same {
		t.Errorf("%d different pods", len(s.Variants))
	}
	for i := range values {
		one, _ := s.Chosen(strconv.Itoa(i))
		if got := dig(t, one, path(i)); got != want[i] {
			t.Errorf("instance %d: %q at %s, not %q", i, got, path(i), want[i])
		}
	}
	// A for_each that waits for run time.
	source := knobSource("for_each = step.make.list\n"+with("each.value"), "step \"make\" {\ncommand = [\"true\"]\nimage = \"debian:12\"\noutput \"list\" {\ntype = list(any)\n}\n}\n")
	r := compiler.Source("main.pipec.hcl", []byte(source), compiler.Options{Dir: "."})
	told := 0
	for _, d := range r.Diags.Sorted() {
		text := source[d.Range.Start.Byte:d.Range.End.Byte]
		if d.Code != "not-constant" || text != "each.value" || d.Suggestion == "" || len(d.Related) != 1 {
			t.Errorf("%s at %q: %s", d.Code, text, d.Summary)
		}
		told++
	}
	if told == 0 {
		t.Errorf("nothing is told of\n%s", source)
	}
}
