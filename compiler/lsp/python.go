package lsp

import (
	"fmt"
	"path/filepath"
	"strings"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/lsp/names"
	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/compiler/python"
)

// function is the Python function that a step runs.
type function struct {
	*python.Function
	module *python.Found
}

// codeDir returns the directory of a step's code; "" if it has none, or none that is known.
func (v *view) codeDir(step *outline.Block) string {
	attr := step.Attr("code")
	if pipeline := step.Parent; attr == nil && pipeline != nil {
		attr = pipeline.Attr("code")
	}
	if attr == nil || v.dir == "" {
		return ""
	}
	refs := v.RefsIn(attr.Value)
	if len(refs) == 0 {
		return ""
	}
	code := v.index.Resolve(refs[0], 1)
	if code == nil || code.Kind != names.Code || code.Block.Attr("dir") == nil {
		return ""
	}
	dir := literal(code.File, code.Block.Attr("dir"))
	if filepath.IsAbs(dir) || strings.Contains(dir, "${") {
		return ""
	}
	if found, err := evaluate.Lookup(v.dir, dir); err == nil {
		dir = found
	}
	return filepath.Join(v.dir, filepath.FromSlash(dir))
}

// runsPython reports whether an attribute is that of a step which names its function.
func runsPython(a *outline.Attr) bool {
	return a.Name == "python" && (a.Block.Type == "step" || a.Block.Type == "finally")
}

// literal returns the text of an attribute's value without quotes.
func literal(f *names.File, a *outline.Attr) string {
	return strings.Trim(f.Text(a.Value), " \t\r\n\"'")
}

// functionOf returns the function that a step names; nil if that can't be known.
func (v *view) functionOf(step *outline.Block) *function {
	if step == nil || step.Attr("python") == nil {
		return nil
	}
	dir := v.codeDir(step)
	module, name, _ := strings.Cut(literal(v.File, step.Attr("python")), ":")
	if dir == "" || module == "" || name == "" {
		return nil
	}
	var modules python.Modules
	found := modules.Find(dir, module)
	if found.Module == nil {
		return nil
	}
	if f, _ := found.Module.Function(name); f != nil {
		return &function{f, found}
	}
	return nil
}

// functionAt returns the function that the value of an attribute `python` at an offset names, and the place of the value.
func (v *view) functionAt(offset int) (*function, outline.Span) {
	a := v.AttrAt(offset)
	if a == nil || !runsPython(a) || !a.Value.Holds(offset) {
		return nil, outline.Span{}
	}
	return v.functionOf(a.Block), a.Value
}

// location returns where the function is defined.
func (f *function) location(v *view) location {
	t := diskText(f.module.Source, v.server.enc)
	return location{uriOf(f.module.Path, v.docs), t.span(f.Start.Byte, f.End.Byte)}
}

// described returns the function's header and place, for a hover.
func (f *function) described(v *view) string {
	path := f.module.Path
	if rel, err := filepath.Rel(v.dir, path); err == nil {
		path = filepath.ToSlash(rel)
	}
	return fmt.Sprintf("```python\n%s\n```\n\n%s, line %d", f.Header(), path, f.Start.Line)
}

// pythonText adds the modules of the step's code, and behind a colon the functions of the module.
func (c *completer) pythonText() {
	at, dir := c.cursor.String, c.codeDir(c.cursor.Attr.Block)
	if dir == "" || at == (outline.Span{}) {
		return
	}
	module, _, chosen := strings.Cut(c.Text(at), ":")
	if !chosen {
		for _, name := range python.Names(dir) {
			c.add(0, at, completionItem{Label: name, Kind: itemModule, Detail: "module"}, name+":")
		}
		return
	}
	var modules python.Modules
	found := modules.Find(dir, module)
	if found.Module == nil {
		return
	}
	for _, name := range found.Module.Functions() {
		item := completionItem{Label: module + ":" + name, Kind: itemFunction}
		if f, _ := found.Module.Function(name); f != nil {
			item.Detail = f.Header()
		}
		c.add(0, at, item, module+":"+name)
	}
}

// parameters offers the parameters of the step's function that have no input yet.
func (c *completer) parameters(input *outline.Block, offer func(name, detail, doc string)) {
	f := c.functionOf(input.Parent)
	if f == nil {
		return
	}
	for _, p := range f.Params {
		if p.Kind == python.Normal || p.Kind == python.KeywordOnly {
			if !hasBlock(input.Parent, "input", p.Text, input) {
				offer(p.Text, p.Annotation.String(), "")
			}
		}
	}
}

// parameterKeys offers the parameters of the step's function as keys of `inputs`.
func (c *completer) parameterKeys(inputs *outline.Attr) {
	f := c.functionOf(inputs.Block)
	if f == nil {
		return
	}
	set := map[string]bool{}
	for _, at := range c.Keys(inputs.Value) {
		if at != c.cursor.Word {
			set[c.Text(at)] = true
		}
	}
	for _, p := range f.Params {
		if (p.Kind == python.Normal || p.Kind == python.KeywordOnly) && !set[p.Text] {
			c.add(0, c.cursor.Word, completionItem{Label: p.Text, Kind: itemVariable, Detail: p.Annotation.String()}, p.Text)
		}
	}
}
