package pods

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// securityCheck checks the block `security`, which makes a pod leave Pod Security `restricted`, or restricts it further.
type securityCheck struct {
	reader
	block *decode.Block
}

func (c securityCheck) check() *program.Security {
	b, out := c.block, &program.Security{}
	out.ReadOnlyRoot, _ = c.project.Attributes.Bool(b, "read_only_root")
	out.Privileged, _ = c.project.Attributes.Bool(b, "privileged")
	out.AllowRoot, _ = c.project.Attributes.Bool(b, "allow_root")
	hostPaths, known := c.project.Attributes.Bool(b, "host_paths")
	out.HostPaths = hostPaths || !known && b.Attr("host_paths") != nil // if it is invalid, that is the only diagnostic
	out.RunAsUser = c.id("run_as_user")
	out.RunAsGroup = c.id("run_as_group")
	out.Capabilities = c.capabilities()
	switch {
	case out.RunAsUser == "0" && !out.AllowRoot:
		c.diags.Add(diag.New("invalid-value", b.Attr("run_as_user").Range(), "user 0 is root").
			WithSuggestion("if the step must run as root, add allow_root = true"))
	case out.AllowRoot && out.RunAsUser != "0" && out.RunAsUser != pod.Cluster && (out.RunAsUser != "" || b.Attr("run_as_user") == nil):
		c.diags.Add(diag.New("invalid-value", b.Attrs["allow_root"].NameRange, "`allow_root` has no effect without run_as_user = \"0\"").
			WithSuggestion(`add run_as_user = "0"`))
	}
	return out
}

// id returns the number of a user or a group in its shortest form, or "cluster".
func (c securityCheck) id(name string) string {
	text, ok := c.project.Attributes.String(c.block, name)
	if !ok || text == pod.Cluster {
		return text
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil && n <= math.MaxInt32 {
		return strconv.FormatUint(n, 10)
	}
	d := diag.New("invalid-value", c.block.Attr(name).Range(), "`%s` must be a number or %q, found %q", name, pod.Cluster, text)
	if err != nil && text != "" && (text[0] < '0' || text[0] > '9') && text[0] != '-' {
		d = d.WithDetail("Kubernetes requires numbers, because names of users exist only inside an image.")
	}
	c.diags.Add(d.DidYouMean(text, []string{pod.Cluster}))
	return ""
}

// knownCapabilities are the capabilities of Linux as Kubernetes writes them.
var knownCapabilities = strings.Fields(`ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN
	DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD
	NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT
	SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM`)

func (c securityCheck) capabilities() []string {
	var out []string
	for i, name := range c.project.Attributes.Strings(c.block, "add_capabilities") {
		if slices.Contains(knownCapabilities, name) {
			out = append(out, name)
			continue
		}
		at := evaluate.Element(c.block.Attr("add_capabilities"), i).Range()
		short := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		d := diag.New("invalid-value", at, "there is no capability %q", name)
		if slices.Contains(knownCapabilities, short) {
			d = d.WithSuggestion("did you mean %q?", short)
		} else {
			d = d.DidYouMean(short, knownCapabilities)
		}
		c.diags.Add(d)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
