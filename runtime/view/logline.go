package view

import (
	"strings"

	"pipec.dev/pipec/schema/record"
)

// Overwritten are the open lines of logs whose states were shown, by attempt.
type Overwritten map[record.AttemptID]string

// Repeats reports whether an event's text was shown already: it is the end of a line in the state that was shown last.
// It must be called with all lines in order.
func (o Overwritten) Repeats(e *record.Event) bool {
	id := record.AttemptID{Step: e.Step, Attempt: e.Attempt}
	if e.Part == record.PartState {
		o[id] = e.Text
		return false
	}
	if len(o) == 0 {
		return false
	}
	state, ok := o[id]
	delete(o, id)
	return ok && e.Part == "" && state == e.Text
}

// Inline returns the text of a log's line as it is printed behind the name of its step: colors stay, and what moves the
// cursor, erases or rings is removed.
func Inline(text string) string {
	text = lastState(text)
	i := 0
	for i < len(text) && (text[i] >= ' ' && text[i] < 0x7f || text[i] == '\t' || text[i] > 0xc2) {
		i++
	}
	if i == len(text) {
		return text
	}
	var b strings.Builder
	colored := false
	for i = 0; i < len(text); {
		switch c := text[i]; {
		case c == 0x1b:
			n := escape(text[i:])
			if sequence := text[i : i+n]; strings.HasPrefix(sequence, "\x1b[") && strings.HasSuffix(sequence, "m") {
				b.WriteString(sequence)
				colored = sequence != "\x1b[0m" && sequence != "\x1b[m"
			}
			i += n
		case c < ' ' && c != '\t' || c == 0x7f:
			i++
		case c == 0xc2 && i+1 < len(text) && text[i+1] >= 0x80 && text[i+1] < 0xa0: // U+0080 to U+009F
			i += 2
		default:
			b.WriteByte(c)
			i++
		}
	}
	if colored {
		b.WriteString("\x1b[0m")
	}
	return b.String()
}

// Text returns what is visible of a log's line in the end, without colors.
func Text(text string) string { return safe(text, 0) }
