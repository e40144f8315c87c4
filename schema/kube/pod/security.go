package pod

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"pipec.dev/pipec/schema/kube"
	"pipec.dev/pipec/schema/program"
)

// Cluster, for a user or a group, says that the cluster chooses it.
const Cluster = "cluster"

// podSecurity is who runs in the pod: what its security block says, else the image's own user where that is a number and
// not root, else kube.DefaultUser. Names of users would have to be looked up in the image, and root is not let in.
func podSecurity(s *program.Security, imageUser string) *corev1.PodSecurityContext {
	if s == nil {
		s = &program.Security{}
	}
	user, group := numericUser(imageUser)
	out := &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
	if id, err := strconv.ParseInt(s.RunAsUser, 10, 64); err == nil {
		user, group = id, id
	}
	sayGroup := s.RunAsUser != Cluster && s.RunAsGroup != Cluster
	if id, err := strconv.ParseInt(s.RunAsGroup, 10, 64); err == nil {
		group, sayGroup = id, true
	}
	if s.RunAsUser != Cluster {
		out.RunAsUser = &user
	}
	if sayGroup {
		out.RunAsGroup, out.FSGroup = &group, &group
	}
	nonRoot := s.RunAsUser == Cluster && !s.AllowRoot || s.RunAsUser != Cluster && user != 0
	out.RunAsNonRoot = &nonRoot
	return out
}

// numericUser reads the user of an image's config: UID, UID:GID, or names, which stand for the default here.
func numericUser(text string) (user, group int64) {
	u, g, _ := strings.Cut(text, ":")
	user, err := strconv.ParseInt(u, 10, 32)
	if err != nil || user <= 0 {
		return kube.DefaultUser, kube.DefaultUser
	}
	if group, err = strconv.ParseInt(g, 10, 32); err != nil || group < 0 {
		group = user
	}
	return user, group
}

// mainSecurity is what the user's container may do. What it doesn't say, restrict does.
func mainSecurity(s *program.Security) *corev1.SecurityContext {
	out := &corev1.SecurityContext{}
	if s == nil {
		return out
	}
	yes := true
	if s.ReadOnlyRoot {
		out.ReadOnlyRootFilesystem = &yes
	}
	if s.Privileged {
		out.Privileged, out.AllowPrivilegeEscalation = &yes, &yes
	}
	if len(s.Capabilities) > 0 {
		out.Capabilities = &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}
		for _, c := range s.Capabilities {
			out.Capabilities.Add = append(out.Capabilities.Add, corev1.Capability(c))
		}
	}
	return out
}

// restrict gives every container of the pod, the patch's too, what Pod Security `restricted` asks of each, where it says
// nothing else itself.
func restrict(spec *corev1.PodSpec) {
	for _, list := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for i := range list {
			c := &list[i]
			if c.SecurityContext == nil {
				c.SecurityContext = &corev1.SecurityContext{}
			}
			if c.SecurityContext.AllowPrivilegeEscalation == nil {
				no := false
				c.SecurityContext.AllowPrivilegeEscalation = &no
			}
			if c.SecurityContext.Capabilities == nil {
				c.SecurityContext.Capabilities = &corev1.Capabilities{}
			}
			if len(c.SecurityContext.Capabilities.Drop) == 0 && !privileged(c) {
				c.SecurityContext.Capabilities.Drop = []corev1.Capability{"ALL"}
			}
		}
	}
}

func privileged(c *corev1.Container) bool {
	return c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged
}
