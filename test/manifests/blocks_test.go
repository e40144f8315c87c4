package manifests_test

import "pgregory.net/rapid"

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
