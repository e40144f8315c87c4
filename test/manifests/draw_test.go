package manifests_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

// source writes a random valid project that makes sense on a cluster.
type source struct {
	t *rapid.T
	b strings.Builder
	n int // blocks so far
}

func (s *source) line(format string, args ...any) { fmt.Fprintf(&s.b, format+"\n", args...) }

func (s *source) maybe(what string) bool { return rapid.Bool().Draw(s.t, what) }

func (s *source) pick(what string, among ...string) string {
	return rapid.SampledFrom(among).Draw(s.t, what)
}

func (s *source) name(what string) string {
	s.n++
	base := rapid.OneOf(
		rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_-]{0,50}`),
		rapid.SampledFrom([]string{"train", "Train", "tr-ain", "X_", "_", "a---", "very_long_name_of_a_step_that_goes_on_and_on_x"}),
	).Draw(s.t, what)
	return fmt.Sprintf("%s_%d", base, s.n)
}

// project draws a project whose stack is of a namespace.
func project(t *rapid.T, namespace, registry string) string {
	s := &source{t: t}
	if s.maybe("project") {
		s.line("pipec {\n  project = %q\n}", s.name("project"))
	}
	s.stack(namespace, registry)
	s.line("image \"base\" {\n  base = \"debian:12\"\n}")
	s.line("image \"built\" {\n  base = \"debian:12\"\n  packages = [\"jq\"]\n}")
	for range rapid.IntRange(1, 3).Draw(t, "pipelines") {
		s.pipeline()
	}
	return s.b.String()
}

func (s *source) stack(namespace, registry string) {
	s.line("stack \"k8s\" {\n  orchestrator \"kubernetes\" {\n    context = \"c\"\n    namespace = %q", namespace)
	s.line("    kubernetes_version = %q", s.pick("version", "1.30", "1.35", "1.36", "v1.37.2", "1.37+"))
	if s.maybe("wrapper") {
		s.line("    wrapper = \"init\"")
	}
	if s.maybe("store grace") {
		s.line("    store_grace = %q", s.pick("grace", "0s", "90s", "2h"))
	}
	if s.maybe("lost node") {
		s.line("    on_lost_node = \"retry_after(10m)\"")
	}
	s.coordinator()
	s.line("    create_namespace = %v\n  }", s.maybe("create namespace"))
	s.line("  artifact_store \"s3\" {\n    path = \"s3://bucket/prefix\"")
	if s.maybe("endpoint") {
		s.line("    endpoint = \"https://s3.example.com:9000\"\n    path_style = true\n    region = \"eu\"")
	}
	if s.maybe("secret") {
		s.line("    secret = \"pipec-store\"")
	}
	if s.maybe("role") {
		s.line("    role = \"arn:aws:iam::123456789012:role/pipec\"")
	}
	s.line("  }\n  container_registry \"generic\" {\n    uri = %q\n  }\n}", registry)
}

func (s *source) pipeline() {
	s.line("pipeline %q {\n  image = image.%s", s.name("pipeline"), s.pick("image", "base", "built"))
	if s.maybe("labels") {
		s.line("  labels = { team = \"ml\", \"example.com/cost\" = \"\" }")
	}
	if s.maybe("schedule") {
		s.line("  schedule {\n    cron = %q\n    timezone = %q\n    overlap = %q\n    suspend = %v", s.pick("cron", "* * * * *", "0 3 * * *", "@daily", "*/15 0-6 1,15 JAN-JUN MON"),
			s.pick("zone", "UTC", "Europe/Berlin", "America/St_Johns"), s.pick("overlap", "allow", "forbid", "replace"), s.maybe("suspend"))
		if s.maybe("history") {
			s.line("    deadline = \"90s\"\n    success_history = %d\n    failure_history = %d", rapid.IntRange(0, 9).Draw(s.t, "s"), rapid.IntRange(0, 9).Draw(s.t, "f"))
		}
		s.line("  }")
	}
	for range rapid.IntRange(1, 5).Draw(s.t, "steps") {
		s.step("step")
	}
	if s.maybe("finally") {
		s.step("finally")
	}
	s.line("}")
}

func (s *source) step(kind string) {
	s.line("  %s %q {\n    command = [\"true\"]", kind, s.name("step"))
	if s.maybe("own image") {
		s.line("    image = %q", s.pick("image", "debian:12", "registry.example.com:5000/a/b@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"))
	}
	if s.maybe("times") {
		s.line("    timeout = %q\n    grace = %q\n    pending_timeout = %q", s.pick("timeout", "1s", "90m", "1000000h"), s.pick("grace", "0s", "1500ms", "1h"), s.pick("pending", "1s", "1h"))
	}
	if s.maybe("node") {
		s.line("    node_selector = { \"kubernetes.io/arch\" = \"amd64\", gpu = \"yes\" }")
	}
	if s.maybe("account") {
		s.line("    service_account = \"default\"")
	}
	if s.maybe("labels") {
		s.line("    labels = { stage = \"a.b_c-D\" }\n    annotations = { \"example.com/note\" = \"any text at all, ünicode too\" }")
	}
	if s.maybe("secret") {
		s.line("    secret_env \"TOKEN\" {\n      secret = \"api\"\n      key = \"token\"\n    }")
	}
	if s.maybe("resources") {
		s.line("    resources {\n      cpu = %q\n      memory = %q\n      ephemeral_storage = \"1Gi\"", s.pick("cpu", "1m", "0.5", "2", "100"), s.pick("memory", "32Mi", "1.5Gi", "100G"))
		if s.maybe("limits") {
			s.line("      cpu_limit = \"200\"\n      memory_limit = \"1Ti\"")
		}
		if s.maybe("gpu") {
			s.line("      extended = { \"nvidia.com/gpu\" = \"2\", \"hugepages-2Mi\" = \"4Mi\" }")
		}
		s.line("    }")
	}
	if s.maybe("group") {
		s.line("    concurrency {\n      group = %q\n      on_busy = %q\n    }", s.pick("group", "gpu", "The_db.1"), s.pick("busy", "queue", "skip"))
	}
	privileged := s.security()
	s.blocks(privileged)
	s.line("  }")
}

// security writes a security block or not, and reports whether it allows volumes of the node.
func (s *source) security() bool {
	if !s.maybe("security") {
		return false
	}
	s.line("    security {")
	switch s.pick("who", "default", "number", "cluster", "root") {
	case "number":
		s.line("      run_as_user = \"1000\"\n      run_as_group = \"0\"")
	case "cluster":
		s.line("      run_as_user = \"cluster\"")
	case "root":
		s.line("      run_as_user = \"0\"\n      allow_root = true")
	}
	s.line("      read_only_root = %v\n      privileged = %v\n      host_paths = true", s.maybe("read-only"), s.maybe("privileged"))
	if s.maybe("capabilities") {
		s.line("      add_capabilities = [%q, %q]", s.pick("a", "NET_BIND_SERVICE", "SYS_ADMIN"), s.pick("b", "NET_BIND_SERVICE", "CHOWN"))
	}
	s.line("    }")
	return true
}

// patches are possible values of `pod`; each by itself complies with restricted.
var patches = []string{
	`tolerations = [{ key = "gpu", operator = "Exists", effect = "NoSchedule" }, { key = "spot", value = "yes" }]`,
	`affinity = { nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution = { nodeSelectorTerms = [{ matchExpressions = [{ key = "zone", operator = "In", values = ["a", "b"] }] }] } } }`,
	`topologySpreadConstraints = [{ maxSkew = 1, topologyKey = "zone", whenUnsatisfiable = "ScheduleAnyway", labelSelector = { matchLabels = { a = "b" } } }]`,
	`volumes = [{ name = "shm", emptyDir = { medium = "Memory", sizeLimit = "64Mi" } }, { name = "config", configMap = { name = "c", defaultMode = 288 } }]`,
	`hostAliases = [{ ip = "10.0.0.1", hostnames = ["a.example.com"] }]`,
	`imagePullSecrets = [{ name = "pull" }]`,
	`dnsPolicy = "None"
      dnsConfig = { nameservers = ["10.0.0.10"], options = [{ name = "ndots", value = "2" }] }`,
	`schedulerName = "other"`,
	`enableServiceLinks = true
      automountServiceAccountToken = true`,
	`securityContext = { fsGroup = 2000, supplementalGroups = [3000], fsGroupChangePolicy = "OnRootMismatch" }`,
	`initContainers = [{ name = "proxy", image = "proxy:1", restartPolicy = "Always", ports = [{ containerPort = 8080 }], readinessProbe = { tcpSocket = { port = 8080 }, periodSeconds = 5 } }]`,
	`containers = [{ name = "main", env = [{ name = "NODE", valueFrom = { fieldRef = { fieldPath = "spec.nodeName" } } }], ports = [{ containerPort = 80, name = "http" }], imagePullPolicy = "Always" }, { name = "side", image = "s:1", args = ["-v"], resources = { limits = { memory = "64Mi" } } }]`,
}

// pod writes `pod`, without the fields that the step's blocks set.
func (s *source) pod(said map[string]bool) {
	if !s.maybe("pod") {
		return
	}
	s.line("    pod = {")
	for _, patch := range rapid.SliceOfNDistinct(rapid.SampledFrom(patches), 1, 4, rapid.ID).Draw(s.t, "patches") {
		if field, _, _ := strings.Cut(patch, " "); !said[field] {
			s.line("      %s", patch)
		}
	}
	s.line("    }")
}
