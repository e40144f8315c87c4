package check

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/podspec"
	"pipec.dev/pipec/schema/kube/pod"
	"pipec.dev/pipec/schema/program"
)

// security checks what a step may do beyond, or less than, Pod Security `restricted`.
func (c *checker) security(s *Step) {
	b := s.Block.One("security")
	if b == nil {
		return
	}
	w, out := c.world, &program.Security{}
	s.Program.Security = out
	out.ReadOnlyRoot, _ = w.Bool(b, "read_only_root")
	out.Privileged, _ = w.Bool(b, "privileged")
	out.AllowRoot, _ = w.Bool(b, "allow_root")
	hostPaths, known := w.Bool(b, "host_paths")
	out.HostPaths = hostPaths || !known && b.Attr("host_paths") != nil // what is faulty is told once
	out.RunAsUser = c.id(b, "run_as_user")
	out.RunAsGroup = c.id(b, "run_as_group")
	out.Capabilities = c.capabilities(b)
	switch {
	case out.RunAsUser == "0" && !out.AllowRoot:
		c.diags.Add(diag.New("invalid-value", b.Attr("run_as_user").Range(), "user 0 is root").
			WithSuggestion("write allow_root = true beside it, if the step must be root"))
	case out.AllowRoot && out.RunAsUser != "0" && out.RunAsUser != pod.Cluster && (out.RunAsUser != "" || b.Attr("run_as_user") == nil):
		c.diags.Add(diag.New("invalid-value", b.Attrs["allow_root"].NameRange, "`allow_root` alone lets nobody be root").
			WithSuggestion(`write run_as_user = "0" beside it`))
	}
}

// id is the number of a user or a group, in its shortest form, or "cluster".
func (c *checker) id(b *decode.Block, name string) string {
	text, ok := c.world.String(b, name)
	if !ok || text == pod.Cluster {
		return text
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil && n <= math.MaxInt32 {
		return strconv.FormatUint(n, 10)
	}
	d := diag.New("invalid-value", b.Attr(name).Range(), "`%s` is a number or %q, and this is %q", name, pod.Cluster, text)
	if err != nil && text != "" && (text[0] < '0' || text[0] > '9') && text[0] != '-' {
		d = d.WithDetail("Names of users are known in an image alone, and Kubernetes asks for numbers.")
	}
	c.diags.Add(d.DidYouMean(text, []string{pod.Cluster}))
	return ""
}

// capabilities of Linux, as Kubernetes writes them.
var capabilities = strings.Fields(`ALL AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN
	DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD
	NET_ADMIN NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT
	SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG WAKE_ALARM`)

func (c *checker) capabilities(b *decode.Block) []string {
	var out []string
	for i, name := range c.world.Strings(b, "add_capabilities") {
		if slices.Contains(capabilities, name) {
			out = append(out, name)
			continue
		}
		at := evaluate.Element(b.Attr("add_capabilities"), i).Range()
		short := strings.TrimPrefix(strings.ToUpper(name), "CAP_")
		d := diag.New("invalid-value", at, "there is no capability %q", name)
		if slices.Contains(capabilities, short) {
			d = d.WithSuggestion("did you mean %q?", short)
		} else {
			d = d.DidYouMean(short, capabilities)
		}
		c.diags.Add(d)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pod checks the step's own patch of its pod; containers are those that its blocks bring. nil: there is none, or it is faulty.
func (c *checker) pod(s *Step, containers map[string]bool) json.RawMessage {
	e := s.Block.Attr("pod")
	if e == nil {
		return nil
	}
	v, ok := c.world.Const(e)
	if !ok {
		return nil
	}
	if evaluate.IsSensitive(v) {
		c.diags.Add(c.world.SensitiveFault(e))
		return nil
	}
	host := s.Program.Security != nil && s.Program.Security.HostPaths
	return podspec.Check(c.world, e, v, podspec.Options{HostPaths: host, Containers: containers})
}
