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

// owned are the fields that pipec sets itself, with what a pipeline can write instead.
var owned = map[string]string{
	"activeDeadlineSeconds":                   "it is set from the `timeout` of the step and of the pipeline",
	"containers[main].args":                   "the step's `command` declares what runs",
	"containers[main].command":                "the step's `command` declares what runs",
	"containers[main].image":                  "use the step's attribute `image`",
	"containers[main].resources.limits":       resourcesBlock,
	"containers[main].resources.requests":     resourcesBlock,
	"containers[main].restartPolicy":          neverRestarts,
	"containers[main].restartPolicyRules":     neverRestarts,
	"containers[main].stdin":                  "a step has no interactive input",
	"containers[main].stdinOnce":              "a step has no interactive input",
	"containers[main].terminationMessagePath": agentsMessage, "containers[main].terminationMessagePolicy": agentsMessage,
	"containers[main].tty":                                      "a step has no interactive input",
	"containers[main].workingDir":                               "a step runs in the directory of its code, or else in the image's own working directory",
	"containers[main].securityContext.allowPrivilegeEscalation": "it is set from `privileged` of the step's `security` block",
	"containers[main].securityContext.capabilities":             "use `add_capabilities` in the step's `security` block",
	"containers[main].securityContext.privileged":               "use `privileged` in the step's `security` block",
	"containers[main].securityContext.readOnlyRootFilesystem":   "use `read_only_root` in the step's `security` block",
	"containers[main].securityContext.runAsGroup":               runAs,
	"containers[main].securityContext.runAsNonRoot":             runAs,
	"containers[main].securityContext.runAsUser":                runAs,
	"ephemeralContainers":                                       "ephemeral containers can only be added to a running pod",
	"restartPolicy":                                             neverRestarts,
	"securityContext.runAsGroup":                                runAs,
	"securityContext.runAsNonRoot":                              runAs,
	"securityContext.runAsUser":                                 runAs,
	"serviceAccount":                                            "use the step's attribute `service_account`",
	"serviceAccountName":                                        "use the step's attribute `service_account`",
	"terminationGracePeriodSeconds":                             "it is set from the step's `grace`",
}

const (
	neverRestarts  = "a step's pod runs once; use the step's `retry` block"
	agentsMessage  = "pipec's agent writes there how the step ended"
	resourcesBlock = "use the step's `resources` block"
	runAs          = "use `run_as_user` and `run_as_group` in the step's `security` block"
)

// owned reports a field that pipec sets itself.
func (c *checker) owned(name string, p place) bool {
	in := p.in(c, name)
	why, is := owned[in.path]
	if is {
		c.fault(diag.New("out-of-place", p.key(c, name), "%s can't be set in `pod`", in.name()).WithDetail("pipec sets this field itself: %s.", why))
	}
	return is
}

// reserved is the prefix of the names of everything that pipec adds to pods.
const reserved = "pipec-"

// rules checks what pipec requires of some types beyond what Kubernetes does.
func (c *checker) rules(t reflect.Type, out map[string]any, p place) {
	name, _ := out["name"].(string)
	switch t {
	case reflect.TypeFor[corev1.Volume]():
		c.ownName(name, "volume", p)
		if _, host := out["hostPath"]; host && !c.options.HostPaths {
			c.fault(diag.New("out-of-place", p.key(c, "hostPath"), "%s is a directory of the node, which a step may not have", p.name()).
				WithSuggestion("if the step needs it, write security { host_paths = true } in the step"))
		}
	case reflect.TypeFor[corev1.Container]():
		c.ownName(name, "container", p)
		image, _ := out["image"].(string)
		isMain := strings.HasPrefix(p.path, "containers[") && name == kube.ContainerMain
		switch {
		case isMain || name == "":
		case name == kube.ContainerMain:
			c.fault(diag.New("invalid-name", c.namePlace(p), "the name %q is used by the step's own container", name))
		case image == "" && !c.faulty && !(c.options.Containers[name] && strings.HasPrefix(p.path, "initContainers[")):
			c.fault(diag.New("missing", p.expr.Range(), "%s has no image", p.name()).
				WithDetail("The step's own container is %q. Every other container needs an image of its own.", kube.ContainerMain))
		}
	case reflect.TypeFor[corev1.EnvVar]():
		if strings.HasPrefix(name, "PIPEC_") {
			c.fault(diag.New("invalid-name", c.namePlace(p), "%s is reserved: pipec sets the names that start with PIPEC_", name))
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
		c.fault(diag.New("invalid-name", c.namePlace(p), "the %s name %q is reserved: pipec uses the names that start with %s", what, name, reserved))
	}
}

// mount rejects a mount of a volume at pipec's own directories, or above them, where it would hide them.
func (c *checker) mount(name string, out map[string]any, p place) {
	where, _ := out["mountPath"].(string)
	where = path.Clean("/" + where)
	for _, own := range []string{kube.WorkDir, kube.AgentDir} {
		if where == own || strings.HasPrefix(where, own+"/") || where == "/" {
			c.fault(diag.New("out-of-place", p.in(c, "mountPath").expr.Range(), "%s is reserved for pipec in a pod", where).
				WithDetail("Inputs, outputs and pipec's agent are in %s and %s.", kube.WorkDir, kube.AgentDir))
			return
		}
	}
	if strings.HasPrefix(name, reserved) {
		c.fault(diag.New("out-of-place", c.namePlace(p), "the volume %q is reserved for pipec", name))
	}
}
