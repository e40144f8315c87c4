package lsp

import (
	"regexp"

	"pipec.dev/pipec/compiler/lsp/names"
	"pipec.dev/pipec/schema/language"
)

// begun matches text that may become a reference: empty, or the start of one.
var begun = regexp.MustCompile(`^[A-Za-z0-9_.-]*$`)

// bareText adds what is possible in a value in YAML that is not an expression: the allowed words, and references, each as
// ${…} in quotes, which is also valid between brackets.
func (c *completer) bareText(kind language.Kind) {
	if !c.cursor.Text || c.cursor.String.End < c.cursor.Word.End {
		return // in a block of text
	}
	c.inString()
	at := c.cursor.String
	if a := c.cursor.Attr.Def; a != nil && a.Type == "bool" && c.cursor.Depth == 0 {
		for _, v := range []string{"true", "false"} {
			c.add(0, at, completionItem{Label: v, Kind: itemValue}, v)
		}
	}
	if !begun.MatchString(c.Text(at)) {
		return
	}
	quote := `"`
	if at.Start > 0 && (c.Src[at.Start-1] == '"' || c.Src[at.Start-1] == '\'') {
		quote = ""
	}
	offer := func(text string, s *names.Symbol) {
		item := completionItem{Label: "${" + text + "}", Kind: itemVariable, Detail: c.typeOf(s), FilterText: text}
		if len(c.items) < maxDescribed {
			item.Documentation = markdown(c.described(s))
		}
		c.add(1, at, item, quote+"${"+text+"}"+quote)
	}
	for _, root := range c.rootsOf(kind) {
		if names.Kind(root) != names.Step {
			for _, s := range c.index.Declared(names.Kind(root), c.cursor.Block) {
				offer(root+"."+s.Name, s)
			}
			continue
		}
		for _, s := range c.steps() {
			for _, o := range c.index.Outputs(s) {
				offer("step."+s.Name+"."+o.Name, o)
			}
		}
	}
}
