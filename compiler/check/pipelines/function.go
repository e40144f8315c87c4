package pipelines

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/compiler/python"
)

// functionCheck compares the step's inputs and outputs with the Python function that it runs. The function is looked for in
// the step's code. A step without code runs what its image contains, which is not here.
type functionCheck struct {
	stepCheck
	at    hcl.Range // of the attribute `python`
	found *python.Found
}

// function checks the function of a step whose inputs, outputs and code are checked.
func (c stepCheck) function() {
	found, code := c.module()
	if found == nil {
		return
	}
	module, name, _ := strings.Cut(c.step.Python, ":")
	f := functionCheck{stepCheck: c, at: c.step.Block.Attr("python").Range(), found: found}
	switch {
	case found.Unknown:
	case found.Module == nil:
		d := diag.New("python-function", f.at, "there is no module %q in %s", module, code.Dir).
			WithDetail("A step's function is looked for in the directory of its code: %s is %s or %s.", module,
				strings.ReplaceAll(module, ".", "/")+".py", strings.ReplaceAll(module, ".", "/")+"/__init__.py").
			WithRelated(code.Block.LabelRange, "the code is declared here")
		c.diags.Add(d.DidYouMean(module, found.Near))
	default:
		function, known := found.Module.Function(name)
		if function != nil {
			f.compare(function)
		} else if known {
			c.diags.Add(diag.New("python-function", f.at, "there is no function %q in %s", name, found.Path).
				WithDetail("It contains %s.", functions(found.Module.Functions())).DidYouMean(name, found.Module.Functions()))
		}
	}
}

// module looks for the module of the step's function; nil if the step has no function, or no code.
func (c stepCheck) module() (*python.Found, *model.Code) {
	code := c.code()
	if c.step.Python == "" || code == nil || code.Dir == "" {
		return nil, nil
	}
	module, _, _ := strings.Cut(c.step.Python, ":")
	return c.project.Python.Find(filepath.Join(c.project.Dir, filepath.FromSlash(code.Dir)), module), code
}

// code returns the code of the step, or nil. It reports nothing: settings does.
func (c stepCheck) code() *model.Code {
	name := c.pipeline.Code
	if e := c.step.Block.Attr("code"); e != nil {
		name, _ = attribute.Reference(e, "code")
	}
	return c.pipeline.Project.Codes[name]
}

// functions lists the functions of a module.
func functions(names []string) string {
	switch {
	case len(names) == 0:
		return "no function"
	case len(names) == 1:
		return "the function " + names[0]
	case len(names) > 20:
		names = append(names[:20:20], "…")
	}
	return "the functions " + strings.Join(names, ", ")
}

// compare compares a function with the step.
func (c functionCheck) compare(f *python.Function) {
	if f.Decorated {
		return // the decorator decides
	}
	if f.Generator {
		c.fault(c.at, f, "%s contains `yield`, so a call only returns a generator", c.step.Python).add(c,
			"return the whole result instead, for example a list")
		return
	}
	c.parameters(f)
	c.results(f)
}

// report is a fault that waits for what to do about it.
type report struct{ d diag.Diagnostic }

func (r report) add(c functionCheck, format string, args ...any) {
	c.diags.Add(r.d.WithSuggestion(format, args...))
}

// fault returns a fault at a place of the source, with the place of the function.
func (c functionCheck) fault(at hcl.Range, f *python.Function, format string, args ...any) report {
	return report{diag.New("python-function", at, format, args...).WithRelated(c.rangeOf(f.Start, f.End), "the function is defined here")}
}

// rangeOf returns a range of the function's file, and makes its text part of the sources, for the snippet.
func (c functionCheck) rangeOf(start, end python.Position) hcl.Range {
	c.project.Show(c.found.Path, c.found.Source)
	at := func(p python.Position) hcl.Pos { return hcl.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }
	return hcl.Range{Filename: c.found.Path, Start: at(start), End: at(end)}
}

// pythonName is the name of a parameter for an input, as the runner makes it.
func pythonName(label string) string { return strings.ReplaceAll(label, "-", "_") }

// parameters compares the parameters with the inputs. The rules are those of the runner.
func (c functionCheck) parameters(f *python.Function) {
	inputs := map[string]*model.Input{}
	var names []string
	for _, in := range c.step.Inputs {
		inputs[pythonName(in.Block.Label)] = in
		names = append(names, pythonName(in.Block.Label))
	}
	params := map[string]*python.Param{}
	var taken []string
	anyName := false
	for i := range f.Params {
		switch p := &f.Params[i]; p.Kind {
		case python.Rest:
			anyName = true
		default:
			params[p.Text] = p
			taken = append(taken, p.Text)
		}
	}
	if !c.step.Block.Tried("input") {
		c.missingInputs(f, inputs, names)
	}
	for _, in := range c.step.Inputs {
		name := pythonName(in.Block.Label)
		p := params[name]
		if p == nil && anyName || p != nil && p.Kind != python.PositionalOnly {
			continue
		}
		d := diag.New("python-function", in.Block.LabelRange, "%s has no parameter %q", c.step.Python, name)
		if p != nil {
			d = diag.New("python-function", in.Block.LabelRange, "the parameter %q of %s is positional-only, and inputs are passed by name", name, c.step.Python)
		}
		d = d.WithRelated(c.rangeOf(f.Start, f.End), "the function is defined here").WithDetail("Its parameters: %s.", orNone(taken))
		c.diags.Add(d.DidYouMean(name, without(taken, names)))
	}
}

// missingInputs reports parameters without a default to which no input belongs.
func (c functionCheck) missingInputs(f *python.Function, inputs map[string]*model.Input, names []string) {
	for i := range f.Params {
		p := &f.Params[i]
		if p.Kind == python.Rest || p.Default || inputs[p.Text] != nil {
			continue
		}
		if p.Kind == python.PositionalOnly {
			c.fault(c.at, f, "the parameter %q of %s is positional-only, and inputs are passed by name", p.Text, c.step.Python).add(c, "remove the / from the parameters")
			continue
		}
		d := diag.New("python-function", c.at, "%s has a parameter %q without a default, and step %q has no such input", c.step.Python, p.Text, c.step.Block.Label).
			WithRelated(c.rangeOf(p.Start, p.End), "the parameter is here").WithDetail("Inputs of the step: %s.", orNone(names))
		if s := diag.Suggest(p.Text, without(names, paramNames(f))); s != "" {
			d = d.WithSuggestion("rename the input %q to %q", s, p.Text)
		} else {
			d = d.WithSuggestion("add input %q { value = … }", p.Text)
		}
		c.diags.Add(d)
	}
}

func paramNames(f *python.Function) []string {
	var out []string
	for _, p := range f.Params {
		out = append(out, p.Text)
	}
	return out
}

// without returns the names that are not among others.
func without(names, others []string) []string {
	var out []string
	for _, n := range names {
		found := false
		for _, o := range others {
			found = found || o == n
		}
		if !found {
			out = append(out, n)
		}
	}
	return out
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// results compares what the function returns with the outputs.
func (c functionCheck) results(f *python.Function) {
	if c.step.Block.Tried("output") || len(c.step.Outputs) < len(c.step.Block.All("output")) {
		return
	}
	var outputs []*model.Output // those that the function returns
	required := 0
	for _, o := range c.step.Outputs {
		if o.Block.Attr("glob") != nil || o.Block.Attr("file") != nil {
			continue
		}
		outputs = append(outputs, o)
		if !o.Optional && o.Type != cty.DynamicPseudoType {
			required++
		}
	}
	if len(f.Returns) == 0 && required > 0 && !f.Exits {
		at := outputs[0].Block.LabelRange
		c.fault(at, f, "%s returns nothing, and step %q has %s", c.step.Python, c.step.Block.Label, counted(len(outputs), "output")).add(c, "return a value for each output")
		return
	}
	if len(outputs) < 2 {
		return
	}
	for _, r := range f.Returns {
		if r.Count != 0 && r.Count != len(outputs) {
			d := diag.New("python-function", c.at, "%s returns %s, and step %q has %s", c.step.Python, counted(r.Count, "value"), c.step.Block.Label, counted(len(outputs), "output")).
				WithRelated(c.rangeOf(r.Start, r.End), "it returns %s here", counted(r.Count, "value"))
			var names []string
			for _, o := range outputs {
				names = append(names, o.Block.Label)
			}
			c.diags.Add(d.WithDetail("The outputs, in their order: %s.", strings.Join(names, ", ")))
			return
		}
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
