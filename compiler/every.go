package compiler

import (
	"slices"
	"strconv"
	"strings"

	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
)

// Every compiles a project for each of its stacks, and reports what prevents it from running there. Stacks without
// variables of their own are checked together, so the project is compiled once more only for each other stack. If
// Options.Stack or the project leave one stack to choose, it does the same as Compile.
func Every(o Options) (*Result, error) {
	o.every = true
	r, err := Compile(o)
	if err != nil || len(r.apart) == 0 {
		return r, err
	}
	found := append([]onStacks{{r.together, r.Diags.Sorted()}}, r.onStacks...)
	o.every = false
	for _, name := range r.apart {
		o.Stack = name
		other, err := Compile(o)
		if err != nil {
			return nil, err
		}
		for name, src := range other.Sources {
			r.Sources[name] = src
		}
		found = append(found, onStacks{[]string{name}, other.Diags.Sorted()})
		if other.Diags.HasErrors() {
			r.Programs, r.Called = nil, nil
		}
	}
	r.Diags = merged(found, len(r.together)+len(r.apart))
	return r, nil
}

// divide divides the stacks into those that are compiled together, because they have no variables of their own, and
// those that are compiled one by one. If there are none of the first kind, the first of the others takes their place.
func (r *Result) divide(w *evaluate.Project) {
	for _, name := range evaluate.Names(w.Stacks) {
		if evaluate.HasVariables(w.Dir, name) {
			r.apart = append(r.apart, name)
		} else {
			r.together = append(r.together, name)
		}
	}
	if len(r.together) == 0 && len(r.apart) > 0 {
		r.together, r.apart = r.apart[:1], r.apart[1:]
		r.Stack = &program.Stack{Name: r.together[0]}
	}
}

// targets returns the stacks that the programs are checked against.
func (r *Result) targets() []*program.Stack {
	if r.Stack != nil {
		return []*program.Stack{r.Stack}
	}
	var out []*program.Stack
	for _, s := range r.Stacks {
		if slices.Contains(r.together, s.Name) {
			out = append(out, s)
		}
	}
	return out
}

// failed reports whether there are errors in the project, or for one of the stacks.
func (r *Result) failed(found []onStacks) bool {
	return r.Diags.HasErrors() || slices.ContainsFunc(found, func(f onStacks) bool {
		return slices.ContainsFunc(f.diags, func(d diag.Diagnostic) bool { return d.Severity == diag.Error })
	})
}

// report adds what was found for the stacks to the diagnostics, or keeps it for Every.
func (r *Result) report(found []onStacks) {
	if len(r.apart) > 0 {
		r.onStacks = found
		return
	}
	all := merged(found, len(found))
	r.Diags.AddList(&all)
}

// onStacks are the diagnostics that were found for some stacks.
type onStacks struct {
	stacks []string
	diags  []diag.Diagnostic
}

// merged returns each diagnostic once. One that was found for several stacks, but not for all, names the stacks. all is the
// number of the project's stacks.
func merged(found []onStacks, all int) diag.List {
	type group struct {
		diag   diag.Diagnostic
		stacks []string
		named  bool // the summary contains the name of the stack
	}
	type key struct {
		code, summary, file string
		start, end          int
	}
	groups := map[key]*group{}
	var order []*group
	for _, f := range found {
		for _, d := range f.diags {
			summary := d.Summary
			for _, name := range f.stacks {
				summary = strings.ReplaceAll(summary, "stack "+strconv.Quote(name), "stack")
			}
			k := key{d.Code, summary, d.Range.Filename, d.Range.Start.Byte, d.Range.End.Byte}
			g := groups[k]
			if g == nil {
				g = &group{diag: d, named: summary != d.Summary}
				groups[k] = g
				order = append(order, g)
			}
			g.stacks = append(g.stacks, f.stacks...)
		}
	}
	var out diag.List
	for _, g := range order {
		slices.Sort(g.stacks)
		g.stacks = slices.Compact(g.stacks)
		note := ""
		switch {
		case g.named && len(g.stacks) > 1:
			note = "This is so on the stacks " + quotedNames(g.stacks) + "."
		case g.named || len(g.stacks) == all:
		case len(g.stacks) == 1:
			note = "This is so on stack " + quotedNames(g.stacks) + "."
		default:
			note = "This is so on the stacks " + quotedNames(g.stacks) + "."
		}
		d := g.diag
		if note != "" && d.Detail != "" {
			note = d.Detail + "\n" + note
		}
		if note != "" {
			d.Detail = note
		}
		out.Add(d)
	}
	return out
}

// quotedNames lists names in quotes.
func quotedNames(names []string) string {
	out := strconv.Quote(names[0])
	for i, name := range names[1:] {
		separator := ", "
		if i == len(names)-2 {
			separator = " and "
		}
		out += separator + strconv.Quote(name)
	}
	return out
}
