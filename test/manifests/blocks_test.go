package manifests_test

import (
	"strings"

	"pgregory.net/rapid"
)

// knob is what a step's own blocks and attributes may set in its pod, and the field of the PodSpec that it sets, if `pod`
// can't set that field again.
type knob struct{ field, text string }

var blockKnobs = []knob{
	{"imagePullSecrets", `image_pull_secrets = ["pull-a", "pull-b"]`},
	{"hostAliases", `host_aliases = { "10.0.0.7" = ["db", "db.example.com"], "fd00::1" = ["six"] }`},
	{"tolerations", "toleration {\n key = \"spot\"\n }\n toleration {\n key = \"gpu\"\n value = \"yes\"\n effect = \"NoExecute\"\n seconds = 300\n }\n toleration {\n }"},
	{"affinity", `affinity {
      node = { preferredDuringSchedulingIgnoredDuringExecution = [{ weight = 5, preference = { matchExpressions = [{ key = "zone", operator = "Exists" }] } }] }
      pod = { requiredDuringSchedulingIgnoredDuringExecution = [{ topologyKey = "zone", labelSelector = { matchLabels = { a = "b" } } }] }
      pod_anti = { preferredDuringSchedulingIgnoredDuringExecution = [{ weight = 1, podAffinityTerm = { topologyKey = "zone", labelSelector = { matchLabels = { a = "b" } } } }] }
    }`},
	{"topologySpreadConstraints", "topology_spread {\n key = \"zone\"\n match_labels = { a = \"b\" }\n }\n topology_spread {\n key = \"zone\"\n max_skew = 3\n when_unsatisfiable = \"ScheduleAnyway\"\n match_labels = { a = \"b\" }\n }"},
	{"dnsPolicy", "dns {\n policy = \"None\"\n nameservers = [\"10.0.0.10\"]\n searches = [\"svc.example.com\", \".\"]\n options = { ndots = \"2\", edns0 = \"\" }\n }"},
	{"", "volume \"mem\" {\n path = \"/dev/shm\"\n memory = \"64Mi\"\n }"},
	{"", "volume \"data\" {\n path = \"/data\"\n claim = \"datasets\"\n access_mode = \"ReadWriteMany\"\n sub_path = \"v1/x\"\n }"},
	{"", "volume \"ro\" {\n path = \"/ro\"\n claim = \"models\"\n access_mode = \"ReadOnlyMany\"\n }"},
	{"", "volume \"own\" {\n path = \"/own\"\n ephemeral = \"1Gi\"\n storage_class = \"fast\"\n }"},
	{"", "volume \"disk\" {\n path = \"/scratch\"\n scratch = \"5Gi\"\n }\n init \"fill\" {\n image = \"busybox:1\"\n command = [\"cp\", \"a\", \"b\"]\n mounts = { disk = \"/out\" }\n }"},
	{"", "volume \"certs\" {\n path = \"/certs\"\n secret = \"tls\"\n items = { \"tls.crt\" = \"a/cert.pem\" }\n read_only = true\n }"},
	{"", "volume \"settings\" {\n path = \"/etc/x\"\n config_map = \"settings\"\n }"},
	{"", "sidecar \"helper\" {\n image = \"proxy:1\"\n args = [\"-v\"]\n env = { LEVEL = \"info\" }\n cpu = \"10m\"\n memory = \"64Mi\"\n }"},
}

// blocks writes some of the knobs, and then `pod`.
func (s *source) blocks(privileged bool) {
	said := map[string]bool{}
	if s.maybe("blocks") {
		for _, k := range rapid.SliceOfNDistinct(rapid.SampledFrom(blockKnobs), 1, 6, func(k knob) string { return k.text }).Draw(s.t, "knobs") {
			s.line("    %s", k.text)
			if said[k.field] = true; k.field == "dnsPolicy" {
				said["dnsConfig"] = true
			}
		}
	}
	if privileged && s.maybe("host path") {
		s.line("    volume \"node\" {\n path = \"/node\"\n host_path = \"/var/models\"\n }")
	}
	s.pod(said)
}

var coordinatorKnobs = []string{
	`node_selector = { pool = "infra" }`,
	`priority_class = ""`,
	`labels = { stage = "coordinator", team = "platform" }`,
	`annotations = { "example.com/note" = "text" }`,
	"resources {\n cpu = \"20m\"\n cpu_limit = \"1\"\n }",
	"resources {\n memory = \"300Mi\"\n ephemeral_storage = \"1Gi\"\n }",
	"resources {\n memory_limit = \"64Mi\"\n cpu_limit = \"20m\"\n }",
	"security {\n run_as_user = \"1000\"\n run_as_group = \"0\"\n }",
	"security {\n run_as_user = \"cluster\"\n }",
}

// coordinator writes what a stack may set for all pods and for those of coordinators.
func (s *source) coordinator() {
	if s.maybe("pull secrets") {
		s.line("    image_pull_secrets = [\"pull-a\", \"stack\"]")
	}
	if s.maybe("default resources") {
		s.line("    default_resources {\n cpu = \"100m\"\n cpu_limit = \"200m\"\n memory = \"64Mi\"\n memory_limit = %q\n }", s.pick("default limit", "64Mi", "1Gi"))
	}
	if !s.maybe("coordinator") {
		return
	}
	first := func(text string) string { name, _, _ := strings.Cut(text, " "); return name }
	s.line("    coordinator {")
	for _, text := range rapid.SliceOfNDistinct(rapid.SampledFrom(coordinatorKnobs), 0, 6, first).Draw(s.t, "coordinator knobs") {
		s.line("    %s", text)
	}
	for _, k := range rapid.SliceOfNDistinct(rapid.SampledFrom(blockKnobs[:6]), 0, 6, func(k knob) string { return k.field }).Draw(s.t, "coordinator blocks") {
		s.line("    %s", k.text)
	}
	s.line("    }")
}
