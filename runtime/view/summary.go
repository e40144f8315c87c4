package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"pipec.dev/pipec/schema/record"
)

// summary prints how the run ended: every step, the last log lines of those that failed, outputs, the outcome and commands for
// details.
func (m *model) summary(o *Options, out, messages io.Writer) {
	if m.end == nil {
		return
	}
	m.table(o, messages)
	if !o.Together {
		m.failures(o, messages)
	}
	for _, text := range m.warnings {
		fmt.Fprintf(messages, "%s %s\n", o.paint(yellow, "warning:"), safe(text, 0))
	}
	for i := range m.end.Outputs {
		fmt.Fprintln(out, Datum(&m.end.Outputs[i]))
	}
	m.verdict(o, messages)
}

// maxFailures is how many failed parts of one step are shown.
const maxFailures = 10

// failures prints the steps that failed. For a step with parts it prints the parts that failed.
func (m *model) failures(o *Options, messages io.Writer) {
	inside := insideFailures(m.end)
	shown := map[string]int{}
	for i := range m.end.Steps {
		s := &m.end.Steps[i]
		if !failed(s) || inside[s.Name] {
			continue
		}
		root := record.Address(s.Name).Root()
		if shown[root]++; shown[root] <= maxFailures {
			m.failure(o, messages, s)
		}
	}
	for _, name := range m.names {
		if more := shown[name] - maxFailures; more > 0 {
			fmt.Fprintf(messages, "\n%s\n", o.paint(red, fmt.Sprintf("✗ and %d more of %s", more, name)))
		}
	}
}

// failure prints the end of the log of a step that failed.
func (m *model) failure(o *Options, w io.Writer, s *record.StepEnd) {
	tail := withoutEcho(m.step(s.Name).tail, s.Message)
	if len(tail) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s\n", o.paint(red, "the end of the log of "+s.Name+":"))
	for _, line := range tail {
		fmt.Fprintf(w, "  %s %s\n", o.paint(dim, "|"), line)
	}
}

// echoed reports whether the log has ended with the message of the failure: the wrapper logs it, and so does Python.
func (s *step) echoed(message string) bool {
	n := len(s.tail)
	return n > 0 && message != "" && (s.tail[n-1] == safe(message, tailWidth) || s.tail[n-1] == safe("pipec: "+message, tailWidth))
}

// withoutEcho returns the end of a log without its last line if that is the failure's message, which the wrapper also
// logs.
func withoutEcho(tail []string, message string) []string {
	n := len(tail)
	if n == 0 || message == "" || tail[n-1] != safe("pipec: "+message, tailWidth) {
		return tail
	}
	return tail[:n-1]
}

// because joins a reason and a message.
func because(reason, message string) string {
	message = safe(strings.ReplaceAll(strings.TrimSpace(message), "\n", "; "), 0)
	switch {
	case message == "":
		return reason
	case reason == "":
		return message
	}
	return reason + ": " + message
}

func (m *model) verdict(o *Options, w io.Writer) {
	code := green
	if m.end.Status != record.Succeeded {
		code = red
	}
	fmt.Fprintf(w, "\nrun %s %s in %s%s", m.run, o.paint(code+";"+bold, status(m.end.Status)), duration(m.end.At.Sub(m.started)), m.counts())
	if why := because("", m.end.Message); why != "" && m.end.Status != record.Succeeded && !m.told() {
		fmt.Fprintf(w, ": %s", why)
	}
	if first := FirstFailure(m.end, m.started); first != "" {
		fmt.Fprintf(w, "\n%s", o.paint(red, "first failure: "+first))
	}
	fmt.Fprintf(w, "\n%s\n", o.paint(dim, o.hint("logs", m.run)))
	if m.end.Status != record.Succeeded {
		fmt.Fprintln(w, o.paint(dim, o.hint("rerun", m.run)))
	}
}

// told reports whether the table contains the reason why the run failed.
func (m *model) told() bool {
	return m.end.Reason == record.ReasonStepsFailed || m.end.Reason == record.ReasonFinallyFailed
}

// counts states how many steps were cached or kept.
func (m *model) counts() string {
	failures, cached, kept := 0, 0, 0
	for i := range m.end.Steps {
		switch s := &m.end.Steps[i]; {
		case s.Cached:
			cached++
		case s.Kept:
			kept++
		case failed(s):
			failures++
		}
	}
	var parts []string
	if failures > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d steps failed", failures, len(m.end.Steps)))
	}
	if cached > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d steps cached", cached, len(m.end.Steps)))
	}
	if kept > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d kept", kept, len(m.end.Steps)))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func status(s record.Status) string { return strings.ReplaceAll(string(s), "_", " ") }

// Datum returns an output in one line: NAME = VALUE for a value; kind, format, size and short digest for an artifact.
func Datum(d *record.Datum) string { return d.Name + " = " + Content(d) }

// Content returns the text of Datum without the name.
func Content(d *record.Datum) string {
	switch {
	case d.Value != nil:
		return safe(string(d.Value), 0)
	case d.Artifact != nil:
		return fmt.Sprintf("%s  %s  %s", kind(d), size(d.Artifact.Size), ShortDigest(d.Artifact.Digest))
	}
	return fmt.Sprintf("%s  %d elements", d.Type, len(d.Elems))
}

// kind returns the type of an artifact with its format, if that is known: dataframe (parquet).
func kind(d *record.Datum) string {
	if name := safe(d.Artifact.FormatName(), 40); name != "" {
		return d.Type + " (" + name + ")"
	}
	return d.Type
}

// ShortDigest returns the start of a digest, long enough to be unique in practice.
func ShortDigest(digest string) string {
	const keep = len("sha256:") + 12
	if len(digest) > keep {
		return digest[:keep]
	}
	return digest
}

// Took returns the duration between two times as text, or "" if one of them is zero.
func Took(from, to time.Time) string {
	if from.IsZero() || to.IsZero() {
		return ""
	}
	return duration(to.Sub(from))
}

// Duration formats a duration for people.
func Duration(d time.Duration) string { return duration(d) }
