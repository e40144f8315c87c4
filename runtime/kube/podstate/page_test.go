package podstate

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pipec.dev/pipec/schema/record"
)

var update = flag.Bool("update", false, "write the table into its page")

const page = "../../../docs/internals/pod-statuses.md"

// parts describe the parts of a pod in the page.
var parts = map[Part]string{
	Any: "anything else", Pod: "the pod has ended", Disruption: "the condition `DisruptionTarget` is true",
	Deleted: "the pod is being deleted, or is gone", Agent: "the termination message of `main` is the agent's, without a result",
	Promise: "the termination message of `main` names a result, and the store has none", Crash: "`main` ends with exit status 2 and without a termination message",
	Main: "`main` has ended", Start: "`main` has the reason `StartError`", Copy: "the init container `pipec-agent` has failed",
	Init: "an init container of the user has failed", Node: "the phase is `Unknown`, the reason is `NodeLost`, or the pod is not ready although its containers are",
	Creation: "the API server forbids the creation of the pod", Scheduling: "the condition `PodScheduled` is false", Waits: "a container waits",
}

// shown describes how a row is recognized.
func shown(r *Row) string {
	text := parts[r.Part]
	if len(r.Is) > 0 {
		text += ", reason " + list(r.Is)
	}
	if len(r.Codes) > 0 {
		text += fmt.Sprintf(", exit code %d, without a termination message", r.Codes[0])
	}
	if len(r.Says) > 0 {
		text += ", message with " + list(r.Says)
	}
	return text
}

func list(texts []string) string {
	quoted := make([]string, len(texts))
	for i, t := range texts {
		quoted[i] = "`" + t + "`"
	}
	if n := len(quoted) - 1; n > 0 {
		return strings.Join(quoted[:n], ", ") + " or " + quoted[n]
	}
	return quoted[0]
}

// tables returns the tables of the page.
func tables() string {
	var b strings.Builder
	b.WriteString("### Pods that have ended\n\n| state | how it is recognized | failure of | reason | |\n|---|---|---|---|---|\n")
	for i := range endings {
		r := &endings[i]
		var notes []string
		if r.Status == record.TimedOut {
			notes = append(notes, "timed out")
		}
		if r.Grows() {
			notes = append(notes, "more memory")
		}
		if r.Replaces != nil {
			notes = append(notes, "replaces "+list(r.Replaces))
		}
		reason := "the reported one"
		if r.Reason != "" {
			reason = "`" + r.Reason + "`"
		}
		class := string(r.Class)
		if class == "" {
			class = "as reported"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.Name, shown(r), class, reason, strings.Join(notes, ", "))
	}
	b.WriteString("\n### Pods that wait\n\n| state | how it is recognized | waits for | then failure of | reason |\n|---|---|---|---|---|\n")
	for i := range waits {
		r := &waits[i]
		limit := r.Wait.Grace(0).String()
		switch r.Wait {
		case Never:
			limit = "does not wait"
		case Lost:
			limit = "`on_lost_node` of the stack; without it, until the node reports"
		default:
			limit = strings.TrimSuffix(limit, "0s")
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | `%s` |\n", r.Name, shown(r), limit, r.Class, r.Wait.EndReason())
	}
	return b.String()
}

// TestPage: the page in docs contains the table. `go test ./runtime/kube/podstate -update` writes it.
func TestPage(t *testing.T) {
	const start, end = "<!-- table -->\n", "<!-- end of the table -->\n"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := bytes.Cut(data, []byte(start))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatal("the page has no place for the table")
	}
	want := slices.Concat(before, []byte(start+"\n"+tables()+"\n"+end), after)
	if bytes.Equal(data, want) {
		return
	}
	if !*update {
		t.Fatalf("%s is not current: run go test ./runtime/kube/podstate -update", page)
	}
	if err := os.WriteFile(page, want, 0o666); err != nil {
		t.Fatal(err)
	}
}
