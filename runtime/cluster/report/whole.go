package report

import (
	"encoding/json"
	"regexp"
	"strconv"

	"pipec.dev/pipec/runtime/cluster"
)

// element matches the path of a field in an element of a program that has a name: a step, a param, a schedule.
var element = regexp.MustCompile(`^(steps|finally|params|schedules)\[("(?:[^"\\]|\\.)*"|[0-9]+)\]\.(.*)$`)

// kinds are the words for an element of each list.
var kinds = map[string]string{"steps": "step", "finally": "finally", "params": "param", "schedules": "schedule"}

// whole are the elements that a program has gained or lost, by the start of the paths of their fields: `steps["train"]`.
type whole map[string]*gained

type gained struct {
	kind, name string
	added      bool
	shown      bool
}

// wholes returns the elements that are new or gone: their name is, or the time of a schedule, which each has.
func wholes(all []cluster.Field) whole {
	out := whole{}
	for i := range all {
		f := &all[i]
		m := element.FindStringSubmatch(f.Path)
		if m == nil || f.Before != nil && f.After != nil || m[3] != "name" && (m[1] != "schedules" || m[3] != "cron") {
			continue
		}
		g := &gained{kind: kinds[m[1]], added: f.Before == nil, name: m[2]}
		if name, err := strconv.Unquote(m[2]); err == nil {
			g.name = name
		} else {
			g.name = string(either(f.After, f.Before))
		}
		if at := prefix(m); out[at] == nil || m[3] == "cron" { // the name of a schedule may be new alone
			out[at] = g
		}
	}
	for at, g := range out {
		if g.kind == "schedule" && !has(all, at+".cron", g.added) {
			delete(out, at)
		}
	}
	return out
}

func prefix(m []string) string { return m[1] + "[" + m[2] + "]" }

// has reports whether a field is new, or gone.
func has(all []cluster.Field, path string, added bool) bool {
	for i := range all {
		if f := &all[i]; f.Path == path {
			return added && f.Before == nil || !added && f.After == nil
		}
	}
	return false
}

func either(a, b json.RawMessage) json.RawMessage {
	if a != nil {
		return a
	}
	return b
}

// of returns the element that a field is in; nil if it is in none that is new or gone.
func (w whole) of(f *cluster.Field) *gained {
	if m := element.FindStringSubmatch(f.Path); m != nil {
		return w[prefix(m)]
	}
	return nil
}

// gained prints an element that is new or gone, once.
func (t *text) gained(g *gained) {
	if g.shown {
		return
	}
	g.shown = true
	mark := t.paint(red, "-")
	if g.added {
		mark = t.paint(green, "+")
	}
	t.line("      %s %s %s", mark, g.kind, g.name)
}

// added returns the steps that the program of a pipeline has gained.
func (r *Report) added(pipeline string) map[string]bool {
	out := map[string]bool{}
	for i := range r.Programs {
		if p := &r.Programs[i]; p.Pipeline == pipeline {
			for _, g := range wholes(p.All()) {
				out[g.name] = out[g.name] || g.added && (g.kind == "step" || g.kind == "finally")
			}
		}
	}
	return out
}
