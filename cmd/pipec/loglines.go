package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"text/template"
	"time"

	"pipec.dev/pipec/runtime/view"
	"pipec.dev/pipec/schema/record"
)

// timestamp is how the time of a line is printed: as kubectl does, with milliseconds, which always have the same width.
const timestamp = "2006-01-02T15:04:05.000Z07:00"

// linePrinter prints the lines of logs. Those of a run that is followed are printed at once.
type linePrinter struct {
	*terminal
	w        *bufio.Writer
	o        *logsFlags
	enc      *json.Encoder
	template *template.Template // nil: none
	include  []*regexp.Regexp
	exclude  []*regexp.Regexp
	grep     []*regexp.Regexp
	over     view.Overwritten
	named    map[string]bool  // the steps whose names are printed
	open     record.AttemptID // the attempt whose long line has not ended
	sources  *sources         // nil: not known yet
	find     func(run string) *sources
	printed  bool // a line
}

func newLinePrinter(t *terminal, w *bufio.Writer, o *logsFlags) (*linePrinter, error) {
	p := &linePrinter{terminal: t, w: w, o: o, enc: json.NewEncoder(o.out.stream(w)), over: view.Overwritten{}, named: map[string]bool{}}
	for _, list := range []struct {
		flag string
		from []string
		to   *[]*regexp.Regexp
	}{{"--include", o.include, &p.include}, {"--exclude", o.exclude, &p.exclude}, {"--grep", o.grep, &p.grep}} {
		for _, text := range list.from {
			re, err := regexp.Compile(text)
			if err != nil {
				return nil, usage("%s: %q is not a regular expression: %v", list.flag, text, err)
			}
			*list.to = append(*list.to, re)
		}
	}
	if o.template != "" {
		var err error
		if p.template, err = template.New("line").Funcs(p.functions()).Parse(o.template); err != nil {
			return nil, usage("--template: %v", err)
		}
	}
	return p, nil
}

// templateLine is what a template reads.
type templateLine struct {
	Time    string
	Run     string
	Step    string
	Attempt int
	Text    string
}

// functions are those of templates.
func (p *linePrinter) functions() template.FuncMap {
	return template.FuncMap{
		"json": func(v any) (string, error) {
			data, err := json.Marshal(v)
			return string(data), err
		},
		"color": func(name, text string) (string, error) {
			code, ok := map[string]string{"red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36", "dim": "2", "bold": "1"}[name]
			if !ok {
				return "", fmt.Errorf("there is no color %q", name)
			}
			return p.paint(code, text), nil
		},
	}
}

// print prints a line if the filters select it.
func (p *linePrinter) print(e record.Event) error {
	if !p.selects(e.Text) {
		return nil
	}
	p.printed = true
	err := p.write(&e)
	if err == nil && p.o.request.Follow {
		err = p.w.Flush()
	}
	return err
}

// selects reports whether the filters select a line.
func (p *linePrinter) selects(text string) bool {
	if len(p.include)+len(p.exclude)+len(p.grep) == 0 {
		return true
	}
	text = view.Text(text)
	for _, re := range p.exclude {
		if re.MatchString(text) {
			return false
		}
	}
	for _, re := range p.grep {
		if !re.MatchString(text) {
			return false
		}
	}
	for _, re := range p.include {
		if re.MatchString(text) {
			return true
		}
	}
	return len(p.include) == 0
}

func (p *linePrinter) write(e *record.Event) error {
	switch {
	case p.o.out.data():
		return p.enc.Encode(e)
	case p.o.out.format == outName:
		if p.named[e.Step] {
			return nil
		}
		p.named[e.Step] = true
		_, err := fmt.Fprintln(p.w, e.Step)
		return err
	}
	if strings.Contains(e.Text, "/"+unpacked+"/") {
		if p.sources == nil {
			p.sources = p.find(e.Run)
		}
		e.Text = p.sources.line(e.Run, e.Step, e.Attempt, e.Text)
	}
	if p.over.Repeats(e) {
		return nil
	}
	if p.template != nil {
		return p.execute(e)
	}
	prefix := ""
	if p.o.timestamps {
		prefix = strings.Repeat(" ", len(timestamp)-len("07:00")) + " "
		if !e.At.IsZero() {
			prefix = e.At.UTC().Format(timestamp) + " "
		}
	}
	if p.o.request.Only(e.Step) {
		return p.raw(e, prefix)
	}
	_, err := fmt.Fprintf(p.w, "%s%s %s\n", p.paint("2", prefix), p.paint("36", e.Step+" |"), p.highlight(view.Inline(e.Text)))
	return err
}

// raw prints a line of the only step as the step wrote it. The pieces of a long line are joined.
func (p *linePrinter) raw(e *record.Event, prefix string) error {
	id := record.AttemptID{Step: e.Step, Attempt: e.Attempt}
	if p.open == id {
		prefix = ""
	} else if p.open != (record.AttemptID{}) {
		_, _ = fmt.Fprintln(p.w)
	}
	text := p.highlight(e.Text)
	if p.open = id; e.Part != record.PartCut {
		p.open, text = record.AttemptID{}, text+"\n"
	}
	_, err := p.w.WriteString(p.paint("2", prefix) + text)
	return err
}

// execute prints a line as the template says, with a newline at its end.
func (p *linePrinter) execute(e *record.Event) error {
	at := ""
	if !e.At.IsZero() {
		at = e.At.UTC().Format(time.RFC3339Nano)
	}
	var b strings.Builder
	if err := p.template.Execute(&b, templateLine{at, e.Run, e.Step, e.Attempt, view.Inline(e.Text)}); err != nil {
		return usage("--template: %v; a line has .Time, .Run, .Step, .Attempt and .Text", err)
	}
	_, err := p.w.WriteString(strings.TrimSuffix(b.String(), "\n") + "\n")
	return err
}

// highlight marks what --grep matches. A line that has colors of its own stays as it is.
func (p *linePrinter) highlight(text string) string {
	if len(p.grep) == 0 || !p.color() || strings.ContainsRune(text, '\x1b') {
		return text
	}
	return p.grep[0].ReplaceAllStringFunc(text, func(match string) string { return p.paint("31;1", match) })
}
