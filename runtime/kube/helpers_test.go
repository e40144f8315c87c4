package kube_test

import (
	"bufio"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func quantity(s string) resource.Quantity { return resource.MustParse(s) }

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

func imageDigest(t *testing.T, reference string) string {
	t.Helper()
	ref, err := name.ParseReference(reference, name.Insecure)
	check(t, err)
	d, err := remote.Head(ref)
	check(t, err)
	return d.Digest.String()
}

// killMain kills the first process of a container as the kernel would: on this machine, by a variable of its environment,
// which an extended pattern matches.
func killMain(t *testing.T, variable string) {
	t.Helper()
	out, err := exec.Command("sh", "-c", `for e in /proc/[0-9]*/environ; do
		if tr '\0' '\n' < $e 2>/dev/null | grep -qxE "$1"; then kill -KILL $(basename $(dirname $e)) && echo killed; fi
	done`, "sh", variable).CombinedOutput()
	if strings.Count(string(out), "killed") != 1 {
		t.Fatalf("%q, %v: one process was to be killed", out, err)
	}
}

// awaitLog waits until a container has written a line.
func (w *world) awaitLog(p *corev1.Pod, line string) {
	w.t.Helper()
	r, err := w.client.CoreV1().Pods(w.ns).GetLogs(p.Name, &corev1.PodLogOptions{Container: "main", Follow: true}).Stream(w.t.Context())
	check(w.t, err)
	defer r.Close()
	for b := bufio.NewScanner(r); b.Scan(); {
		if b.Text() == line {
			return
		}
	}
	w.t.Fatalf("the pod %s has not written %q", p.Name, line)
}
