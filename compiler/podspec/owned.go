package podspec

import (
	"path"
	"reflect"
	"strings"

	"github.com/hashicorp/hcl/v2"
	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/schema/kube"
)

// owned are the fields that pipec says itself, and where a pipeline says what it may.
var owned = map[string]string{
	"activeDeadlineSeconds":                   "it follows from the step's `timeout`",
	"containers[main].args":                   "the step's `command` says what runs",
	"containers[main].command":                "the step's `command` says what runs",
	"containers[main].image":                  "the step has an attribute `image`",
	"containers[main].resources.limits":       resourcesBlock,
	"containers[main].resources.requests":     resourcesBlock,
	"containers[main].restartPolicy":          neverRestarts,
	"containers[main].restartPolicyRules":     neverRestarts,
	"containers[main].stdin":                  "no one is there to type",
	"containers[main].stdinOnce":              "no one is there to type",
	"containers[main].terminationMessagePath": agentsMessage, "containers[main].terminationMessagePolicy": agentsMessage,
	"containers[main].tty":                                      "no one is there to type",
	"containers[main].workingDir":                               "a step works in its code, else where its image says",
	"containers[main].securityContext.allowPrivilegeEscalation": "it follows from `privileged` of the step's `security` block",
	"containers[main].securityContext.capabilities":             "the step's `security` block has `add_capabilities`",
	"containers[main].securityContext.privileged":               "the step's `security` block has `privileged`",
	"containers[main].securityContext.readOnlyRootFilesystem":   "the step's `security` block has `read_only_root`",
	"containers[main].securityContext.runAsGroup":               runAs,
	"containers[main].securityContext.runAsNonRoot":             runAs,
	"containers[main].securityContext.runAsUser":                runAs,
	"ephemeralContainers":                                       "they are added to a pod that runs, not to one that is made",
	"restartPolicy":                                             neverRestarts,
	"securityContext.runAsGroup":                                runAs,
	"securityContext.runAsNonRoot":                              runAs,
	"securityContext.runAsUser":                                 runAs,
	"serviceAccount":                                            "the step has an attribute `service_account`",
	"serviceAccountName":                                        "the step has an attribute `service_account`",
	"terminationGracePeriodSeconds":                             "it follows from the step's `grace`",
}

const (
	neverRestarts  = "a step's pod runs once; `retry` says when it is tried again"
	agentsMessage  = "pipec's agent says there how the step ended"
	resourcesBlock = "the step's `resources` block says it"
	runAs          = "the step's `security` block has `run_as_user` and `run_as_group`"
)

// owned tells a field that is pipec's own.
func (c *checker) owned(name string, p place) bool {
	in := p.in(c, name)
	why, is := owned[in.path]
	if is {
		c.fault(diag.New("out-of-place", p.key(c, name), "%s can't be set in `pod`", in.name()).WithDetail("It is pipec's to say: %s.", why))
	}
	return is
}

// reserved are the beginnings of the names of what pipec puts into pods.
const reserved = "pipec-"

// rules are what pipec asks of some types beyond what Kubernetes does.
func (c *checker) rules(t reflect.Type, out map[string]any, p place) {
	name, _ := out["name"].(string)
	switch t {
	case reflect.TypeFor[corev1.Volume]():
		c.ownName(name, "volume", p)
		if _, host := out["hostPath"]; host && !c.options.HostPaths {
			c.fault(diag.New("out-of-place", p.key(c, "hostPath"), "%s is a directory of the node, which a step may not have", p.name()).
				WithSuggestion("write security { host_paths = true } in the step, if it must"))
		}
	case reflect.TypeFor[corev1.Container]():
		c.ownName(name, "container", p)
		image, _ := out["image"].(string)
		isMain := strings.HasPrefix(p.path, "containers[") && name == kube.ContainerMain
		switch {
		case isMain || name == "":
		case name == kube.ContainerMain:
			c.fault(diag.New("invalid-name", c.namePlace(p), "the name %q is taken by the step's own container", name))
		case image == "" && !c.faulty && !(c.options.Containers[name] && strings.HasPrefix(p.path, "initContainers[")):
			c.fault(diag.New("missing", p.expr.Range(), "%s has no image", p.name()).
				WithDetail("The step's own container is called %q; another one needs an image of its own.", kube.ContainerMain))
		}
	case reflect.TypeFor[corev1.EnvVar]():
		if strings.HasPrefix(name, "PIPEC_") {
			c.fault(diag.New("invalid-name", c.namePlace(p), "%s is pipec's own: names that start with PIPEC_ are set by it", name))
		}
	case reflect.TypeFor[corev1.EnvFromSource]():
		if prefix, _ := out["prefix"].(string); strings.HasPrefix(prefix, "PIPEC_") {
			c.fault(diag.New("invalid-name", p.in(c, "prefix").expr.Range(), "names that start with PIPEC_ are set by pipec"))
		}
	case reflect.TypeFor[corev1.VolumeMount]():
		c.mount(name, out, p)
	}
}

func (c *checker) namePlace(p place) hcl.Range { return p.in(c, "name").expr.Range() }

func (c *checker) ownName(name, what string, p place) {
	if strings.HasPrefix(name, reserved) {
		c.fault(diag.New("invalid-name", c.namePlace(p), "the %s %q would be pipec's own: names that start with %s are", what, name, reserved))
	}
}

// mount keeps a volume off the places where pipec's own are. A mount above them would hide them.
func (c *checker) mount(name string, out map[string]any, p place) {
	where, _ := out["mountPath"].(string)
	where = path.Clean("/" + where)
	for _, own := range []string{kube.WorkDir, kube.AgentDir} {
		if where == own || strings.HasPrefix(where, own+"/") || where == "/" {
			c.fault(diag.New("out-of-place", p.in(c, "mountPath").expr.Range(), "%s is pipec's own place in a pod", where).
				WithDetail("Inputs, outputs and pipec's agent are in %s and %s.", kube.WorkDir, kube.AgentDir))
			return
		}
	}
	if strings.HasPrefix(name, reserved) {
		c.fault(diag.New("out-of-place", c.namePlace(p), "the volume %q is pipec's own", name))
	}
}
