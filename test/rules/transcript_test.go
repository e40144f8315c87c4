package rules

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"pipec.dev/pipec/internal/rules"
	"pipec.dev/pipec/schema/record"
)

// transcript describes a run by its events, in words that are the same on every driver: without times and random names, and
// with the output of steps grouped by step.
func transcript(c *rules.Case, driver string, events []record.Event) string {
	var b strings.Builder
	end := events[len(events)-1].RunEnd
	fmt.Fprintf(&b, "run %s", end.Status)
	because(&b, c, end.Reason, end.Message)
	b.WriteByte('\n')
	for _, s := range end.Steps {
		if slices.Contains(c.Without, "steps") {
			break
		}
		fmt.Fprintf(&b, "%s %s", s.Name, s.Status)
		if s.Cached {
			b.WriteString(" (cached)")
		}
		if s.Kept {
			b.WriteString(" (kept)")
		}
		because(&b, c, s.Reason, s.Message)
		if s.ExitCode != nil && *s.ExitCode != 0 {
			fmt.Fprintf(&b, "; exit code %d", *s.ExitCode)
		}
		if n := max(s.Attempts, s.Calls); n > 1 {
			fmt.Fprintf(&b, "; %d attempts", n)
		}
		b.WriteByte('\n')
		if !slices.Contains(c.Without, "logs") && !s.Cached && !s.Kept {
			logs(&b, events, s.Name)
		}
		if !slices.Contains(c.Without, "outputs") {
			for _, o := range s.Outputs {
				fmt.Fprintf(&b, "    %s = %s\n", o.Name, datum(&o))
			}
		}
	}
	for _, o := range end.Outputs {
		fmt.Fprintf(&b, "output %s = %s\n", o.Name, datum(&o))
	}
	for _, want := range c.AtOnce {
		step, bound, _ := strings.Cut(want, "=")
		// The number depends on timing if instances are short and start late; on this machine they start at once.
		if got := atOnce(end.Steps, step); driver != "local" && got <= number(bound) {
			fmt.Fprintf(&b, "%s: %s at once\n", step, bound)
		} else {
			fmt.Fprintf(&b, "%s: %d at once\n", step, got)
		}
	}
	return b.String()
}

func because(b *strings.Builder, c *rules.Case, reason, message string) {
	if reason != "" {
		fmt.Fprintf(b, ", %s", reason)
	}
	if reason == record.ReasonStepsFailed { // the message has them in the order in which they failed
		steps := strings.Split(message, ", ")
		slices.Sort(steps)
		message = strings.Join(steps, ", ")
	}
	if message != "" && !slices.Contains(c.Without, "messages") {
		fmt.Fprintf(b, ": %s", strings.ReplaceAll(message, "\n", " / "))
	}
}

// logs returns the lines of a step, attempt by attempt.
func logs(b *strings.Builder, events []record.Event, step string) {
	var lines []record.Event
	for _, e := range events {
		if e.Type == record.StepLog && e.Step == step {
			lines = append(lines, e)
		}
	}
	slices.SortStableFunc(lines, func(x, y record.Event) int { return x.Attempt - y.Attempt })
	for _, e := range lines {
		fmt.Fprintf(b, "    | %s\n", e.Text)
	}
}

func datum(d *record.Datum) string {
	switch {
	case d.Value != nil:
		return string(d.Value) // as it is recorded
	case d.Artifact != nil:
		return fmt.Sprintf("(%s, %d bytes)", d.Type, d.Artifact.Size)
	}
	parts := make([]string, len(d.Elems))
	for i := range d.Elems {
		parts[i] = datum(&d.Elems[i])
		if name := d.Elems[i].Name; name != "" {
			parts[i] = name + ": " + parts[i]
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// atOnce returns the largest number of instances of a step that ran at the same time.
func atOnce(steps []record.StepEnd, step string) int {
	type change struct {
		at time.Time
		by int
	}
	var changes []change
	for i := range steps {
		rest, ok := strings.CutPrefix(steps[i].Name, step+"[")
		if ok && strings.Index(rest, "]") == len(rest)-1 && !steps[i].StartedAt.IsZero() {
			changes = append(changes, change{steps[i].StartedAt, 1}, change{steps[i].EndedAt, -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), a.by-b.by) })
	most, now := 0, 0
	for _, c := range changes {
		now += c.by
		most = max(most, now)
	}
	return most
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}
