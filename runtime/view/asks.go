package view

import (
	"fmt"
	"strings"

	"pipec.dev/pipec/runtime/shell"
	"pipec.dev/pipec/schema/record"
)

// fewAsks is how many approve commands are shown below the steps.
const fewAsks = 4

// asks returns the commands that answer the waiting approvals, at most the given number.
func (m *model) asks(o *Options, most int) []string {
	var out []string
	waiting := 0
	each := func(name string) {
		if s := m.steps[name]; s.ask != nil {
			if waiting++; waiting <= most {
				out = append(out, o.approve(m.run, name, s.ask))
			}
		}
	}
	for _, name := range m.names {
		each(name)
		for _, part := range m.steps[name].parts {
			each(part)
		}
	}
	if waiting > most && most > 0 {
		out[most-1] = fmt.Sprintf("… %d more are waiting for approval: pipec runs %s%s", waiting-most+1, m.run, o.Flags)
	}
	return out
}

// approve returns the command that answers an approval.
func (o *Options) approve(run, step string, ask *record.Ask) string {
	text := "pipec approve " + run + " " + shell.Word(step)
	switch ask.Type {
	case "":
	case "bool":
		text += " --value true"
	default:
		text += " --value VALUE"
	}
	return text + o.Flags
}

// asks prints the question of an approval and the command that answers it.
func (p *Plain) asks(s *step) {
	if s.ask == nil {
		return
	}
	how := p.o.approve(p.m.run, s.name, s.ask)
	if strings.HasSuffix(how, "--value VALUE"+p.o.Flags) {
		how += "; VALUE is " + s.ask.Type
	}
	fmt.Fprintf(&p.messages, "%s | %s (%s)\n", s.name, p.o.paint(yellow, "waiting for approval: "+oneLine(s.ask.Message)), how)
}

// oneLine returns the question of an approval on one line.
func oneLine(text string) string { return safe(strings.Join(strings.Fields(text), " "), tailWidth) }
