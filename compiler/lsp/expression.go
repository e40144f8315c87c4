package lsp

import (
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/lsp/names"
	"pipec.dev/pipec/compiler/lsp/outline"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/record"
	"pipec.dev/pipec/schema/types"
)

// value adds what is possible in an attribute's value.
func (c *completer) value(offset int) {
	a := c.cursor.Attr
	kind := language.Const
	if a.Def != nil {
		kind = a.Def.Kind
	}
	switch r, part := c.RefAt(offset); {
	case c.cursor.Bare:
		c.bareText(kind)
	case c.cursor.Text:
		c.inString()
	case c.cursor.Key:
		c.keys()
	case kind == language.Type || kind == language.Types && c.cursor.Depth > 0:
		c.types()
	case r != nil && part > 0:
		c.after(r, part)
	case kind == language.Refs:
		for _, s := range c.steps() {
			c.symbol(0, "step."+s.Name, s)
		}
	case kind == language.Ref:
		for _, s := range c.index.Declared(names.Kind(a.Name), a.Block) {
			c.symbol(0, a.Name+"."+s.Name, s)
		}
	default:
		c.expression(kind)
	}
}

// maxDescribed is how many items of a list have a description. All of them are sent, and a user reads few.
const maxDescribed = 200

// symbol adds a declaration with the text that refers to it.
func (c *completer) symbol(rank int, text string, s *names.Symbol) {
	item := completionItem{Label: text, Kind: itemVariable, Detail: c.typeOf(s)}
	if len(c.items) < maxDescribed {
		item.Documentation = markdown(c.described(s))
	}
	c.add(rank, c.cursor.Word, item, text)
}

// inString adds the possible strings for the string at the cursor.
func (c *completer) inString() {
	a := c.cursor.Attr
	var values []string
	after := c.cursor.After
	switch {
	case a.Def != nil && c.cursor.Depth == 0 && len(c.choices()) > 0:
		values = c.choices()
	case len(after) == 3 && after[0] == "step" && after[2] == "status":
		values = record.Statuses
	case len(after) == 2 && after[0] == "run" && after[1] == "status":
		values = []string{"cancelled", "failed", "succeeded", "timed_out"}
	}
	if c.cursor.String == (outline.Span{}) {
		return // a heredoc
	}
	for _, v := range values {
		c.add(0, c.cursor.String, completionItem{Label: v, Kind: itemEnum}, v)
	}
	if runsPython(a) && c.cursor.Depth == 0 {
		c.pythonText()
	}
}

// choices returns the strings that are possible for the attribute at the cursor: those of the table, or the contexts of the
// kubeconfig for the context of a stack. It is empty if the strings are not known.
func (c *completer) choices() []string {
	a := c.cursor.Attr
	if a.Name == "context" && a.Block.Type == "orchestrator" && c.server.options.Contexts != nil {
		return c.server.options.Contexts()
	}
	return a.Def.OneOf
}

// keys adds the keys of objects whose keys are names of the project: the params of a schedule, and of a pipeline that is called.
func (c *completer) keys() {
	a := c.cursor.Attr
	var params []*names.Symbol
	switch {
	case c.cursor.Depth != 1:
	case a.Name == "params" && a.Block.Type == "schedule":
		params = c.index.Declared(names.Param, a.Block)
	case a.Name == "inputs" && a.Block.Attr("python") != nil:
		c.parameterKeys(a)
	case a.Name == "inputs" && a.Block.Attr("pipeline") != nil:
		if callee := c.index.Callee(c.File, a.Block); callee != nil {
			params = c.index.Params(callee)
		}
	}
	for _, s := range params {
		if !slices.ContainsFunc(c.Keys(a.Value), func(at outline.Span) bool { return at != c.cursor.Word && c.Text(at) == s.Name }) {
			c.symbol(0, s.Name, s)
		}
	}
}

func (c *completer) types() {
	for _, w := range types.Words() {
		item, text := completionItem{Label: w, Kind: itemTypeName}, w
		if _, err := types.ParseString(w); err != nil { // it takes an argument
			text += "("
			if c.snippets {
				item.InsertFormat = 2
				text = w + "($1)"
			}
		}
		c.add(0, c.cursor.Word, item, text)
	}
}

// steps returns the steps that an expression at the cursor may refer to: not its own, and those of finally only in finally.
func (c *completer) steps() []*names.Symbol {
	own := c.cursor.Block.Inside("step", "finally")
	return slices.DeleteFunc(c.index.Declared(names.Step, c.cursor.Block), func(s *names.Symbol) bool {
		return s.Block == own || s.Block.Type == "finally" && (own == nil || own.Type != "finally")
	})
}

// rootsOf returns the roots of references, by kind of the attribute.
func (c *completer) rootsOf(kind language.Kind) []string {
	out := []string{"var", "local"}
	switch kind {
	case language.Retry:
		return append(out, "input", "attempt", "exit_code", "reason")
	case language.Own:
		out = append(out, "param", "step", "run", "input", "output")
	case language.Runtime:
		out = append(out, "param", "step", "run")
	}
	if step := c.cursor.Block.Inside("step", "finally"); step != nil && step.Attr("for_each") != nil {
		out = append(out, "each")
	}
	if stack := c.cursor.Block.Inside("stack"); stack != nil && c.cursor.Block.Inside("recipe") == nil && slices.ContainsFunc(stack.Blocks, func(b *outline.Block) bool { return b.Type == "recipe" }) {
		out = append(out, "recipe")
	}
	return out
}

// expression adds what an expression may start with: the attribute's strings and constants, references, functions.
func (c *completer) expression(kind language.Kind) {
	if a := c.cursor.Attr.Def; a != nil && c.cursor.Depth == 0 {
		for _, v := range c.choices() {
			c.add(0, c.cursor.Word, completionItem{Label: `"` + v + `"`, Kind: itemEnum}, `"`+v+`"`)
		}
		if a.Type == "bool" {
			for _, v := range []string{"true", "false"} {
				c.add(0, c.cursor.Word, completionItem{Label: v, Kind: itemValue}, v)
			}
		}
	}
	for _, root := range c.rootsOf(kind) {
		item := completionItem{Label: root, Kind: itemModule, Documentation: markdown(roots[root])}
		if p, ok := properties[root]; ok {
			item.Detail, item.Documentation = p[0], markdown(p[1])
		}
		c.add(2, c.cursor.Word, item, root)
		if k := names.Kind(root); k != names.Step {
			for _, s := range c.index.Declared(k, c.cursor.Block) {
				c.symbol(1, root+"."+s.Name, s)
			}
		}
	}
	called := c.cursor.Word.End < len(c.Src) && c.Src[c.cursor.Word.End] == '('
	functions := evaluate.Functions(c.dir)
	for _, name := range slices.Sorted(maps.Keys(functions)) {
		f := functions[name]
		item, text := completionItem{Label: name, Kind: itemFunction, Detail: evaluate.Signature(name, f), Documentation: markdown(evaluate.FunctionDoc(name, f))}, name
		if c.snippets && !called {
			item.InsertFormat = 2
			text += "($1)"
		}
		c.add(3, c.cursor.Word, item, text)
	}
}

// after adds what may follow the parts of a reference before part.
func (c *completer) after(r *outline.Ref, part int) {
	c.cursor.Word = r.Parts[part].At
	root := r.Parts[0].Name
	kind := names.Kind(root)
	switch {
	case part == 1 && kind == names.Step:
		for _, s := range c.steps() {
			c.symbol(0, s.Name, s)
		}
	case part == 1 && (root == "run" || root == "each"):
		own := c.cursor.Block.Inside("finally")
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if rest, ok := strings.CutPrefix(name, root+"."); ok && (name != "run.status" || own != nil) {
				c.property(name, rest)
			}
		}
	case part == 1 && root == "recipe":
		for _, o := range recipeOutputs() {
			c.add(1, c.cursor.Word, completionItem{Label: o.Name, Kind: itemProperty, Detail: "string", Documentation: markdown(outputDoc("recipe." + o.Name))}, o.Name)
		}
	case part == 1 && kind != names.Stack && kind != names.Result:
		for _, s := range c.index.Declared(kind, c.cursor.Block) {
			c.symbol(0, s.Name, s)
		}
	case part == 2 && kind == names.Step:
		if s := c.index.Resolve(r, 1); s != nil {
			for _, o := range c.index.Outputs(s) {
				c.symbol(0, o.Name, o)
			}
		}
		for _, name := range []string{"status", "exit_code", "reason", "message"} {
			c.property("step."+name, name)
		}
	default:
		c.attributes(r, part)
	}
}

func (c *completer) property(name, text string) {
	p := properties[name]
	c.add(1, c.cursor.Word, completionItem{Label: text, Kind: itemProperty, Detail: p[0], Documentation: markdown(p[1])}, text)
}

// attributes adds the attributes of what the parts before part name: the path of an artifact, the attributes of an object.
func (c *completer) attributes(r *outline.Ref, part int) {
	named := 1
	if r.Parts[0].Name == "step" {
		named = 2
	}
	s := c.index.Resolve(r, named)
	if s == nil || part <= named {
		return
	}
	t, err := types.ParseString(c.typeOf(s))
	own := s.Kind == names.Input || s.Kind == names.Output && named == 1
	if own && part == 2 && (s.Kind == names.Output || err == nil && types.HasArtifact(t)) {
		c.add(0, c.cursor.Word, completionItem{Label: "path", Kind: itemProperty, Detail: "string"}, "path")
		return
	}
	for i := named + 1; err == nil && i < part; i++ {
		if !t.IsObjectType() || !t.HasAttribute(r.Parts[i].Name) {
			return
		}
		t = t.AttributeType(r.Parts[i].Name)
	}
	if err != nil || t == cty.NilType || !t.IsObjectType() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(t.AttributeTypes())) {
		c.add(0, c.cursor.Word, completionItem{Label: name, Kind: itemProperty, Detail: types.String(t.AttributeType(name))}, name)
	}
}
