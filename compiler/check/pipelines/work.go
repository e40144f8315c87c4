package pipelines

import (
	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/diag"
)

// work checks what the step does: exactly one of `command`, `python`, `pipeline` and `approval`.
func (c stepCheck) work() {
	command, python, call := c.step.Block.Attrs["command"], c.step.Block.Attrs["python"], c.step.Block.Attrs["pipeline"]
	if b := c.step.Block.One("approval"); b != nil {
		a := c.step.Work()
		what := map[string]string{"command": "has a command", "python": "has a python function", "pipeline": "calls a pipeline"}[a.Name]
		c.diags.Add(diag.New("duplicate", b.DefRange, "a step that asks for an approval can't do anything else, and this one %s", what).
			WithRelated(a.NameRange, "the `%s` is here", a.Name).
			WithSuggestion("move the approval to a separate step, and make this step depend on it"))
	}
	switch {
	case call != nil && (command != nil || python != nil):
		other, what := command, "command"
		if other == nil {
			other, what = python, "python function"
		}
		c.diags.Add(diag.New("duplicate", other.NameRange, "a step can't both call a pipeline and have a %s", what).
			WithRelated(call.NameRange, "the call is here"))
	case call != nil:
		if c.step.Callee != nil {
			callCheck{c}.check()
		}
	case command == nil && python == nil && c.step.Block.Tried("command", "python", "approval"):
	case command == nil && python == nil:
		c.diags.Add(diag.New("missing", c.step.Block.DefRange, "%s has nothing to run", attribute.Describe(c.step.Block)).
			WithSuggestion(`set command = ["program", "argument"] or python = "module:function"`))
	case command != nil && python != nil:
		c.diags.Add(diag.New("duplicate", python.NameRange, "a step can't have both a command and a python function").
			WithRelated(command.NameRange, "the command is here"))
	case command != nil:
		c.command(command.Expr)
	default:
		c.python()
	}
}
