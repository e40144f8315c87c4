package pipelines

import (
	"github.com/hashicorp/hcl/v2"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
)

// works are the attributes that define what a step does, and what a step with each of them does.
var works = []struct{ name, is, has string }{
	{"command", "a command", "has a command"},
	{"python", "a python function", "has a python function"},
	{"script", "a script", "has a script"},
	{"pipeline", "a call", "calls a pipeline"},
}

// work checks what the step does: exactly one of `command`, `python`, `script`, `pipeline` and `approval`.
func (c stepCheck) work() {
	var given []*hcl.Attribute
	what := map[string]string{}
	for _, w := range works {
		if a := c.step.Block.Attrs[w.name]; a != nil {
			given = append(given, a)
			what[w.name] = w.is
		}
	}
	if a := c.step.Block.Attrs["args"]; a != nil && c.step.Block.Attrs["script"] == nil && !c.step.Block.Tried("script") {
		c.diags.Add(diag.New("out-of-place", a.NameRange, "`args` are the options of a `script`, and this step has none").
			WithSuggestion("write the arguments in `command`"))
	}
	if b := c.step.Block.One("approval"); b != nil {
		c.worksToo(b.DefRange)
	}
	switch call := c.step.Block.Attrs["pipeline"]; {
	case len(given) == 0 && c.step.Block.Tried("command", "python", "script", "approval"):
	case len(given) == 0:
		c.diags.Add(diag.New("missing", c.step.Block.DefRange, "%s has nothing to run", attribute.Describe(c.step.Block)).
			WithSuggestion(`set command = ["program", "argument"], python = "module:function" or script = "train.py"`))
	case len(given) > 1 && call != nil:
		c.diags.Add(diag.New("duplicate", given[0].NameRange, "a step can't both call a pipeline and have %s", what[given[0].Name]).
			WithRelated(call.NameRange, "the call is here"))
	case len(given) > 1:
		c.diags.Add(diag.New("duplicate", given[1].NameRange, "a step can't have both %s and %s", what[given[0].Name], what[given[1].Name]).
			WithRelated(given[0].NameRange, "the %s is here", given[0].Name))
	case call != nil:
		if c.step.Callee != nil {
			callCheck{c}.check()
		}
	case given[0].Name == "command":
		c.command(given[0].Expr)
	case given[0].Name == "script":
		c.script()
	}
}

// worksToo reports a step that does something besides asking for an approval.
func (c stepCheck) worksToo(approval hcl.Range) {
	a := c.step.Work()
	for _, w := range works {
		if w.name == a.Name {
			c.diags.Add(diag.New("duplicate", approval, "a step that asks for an approval can't do anything else, and this one %s", w.has).
				WithRelated(a.NameRange, "the `%s` is here", a.Name).
				WithSuggestion("move the approval to a separate step, and make this step depend on it"))
		}
	}
}
