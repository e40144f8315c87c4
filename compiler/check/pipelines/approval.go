package pipelines

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// approvalCheck checks a step that asks for an approval. It has no process, and therefore no pod.
type approvalCheck struct{ stepCheck }

// declare declares the one output that an approval can have: the value that the approver gives.
func (c approvalCheck) declare() {
	b := c.step.Block.One("approval")
	a := b.Attrs["type"]
	if a == nil {
		c.step.Incomplete = b.Tried("type")
		return
	}
	def := language.Root().Block("pipeline").Block("step").Block("output")
	o := &model.Output{Block: &decode.Block{
		Def: def, Label: program.ApprovalOutput, LabelRange: a.Range, DefRange: a.Range, Attrs: map[string]*hcl.Attribute{"type": a},
	}}
	c.step.AddOutput(o)
	t, ok := evaluate.Type(a.Expr, c.diags)
	switch {
	case !ok:
	case types.HasArtifact(t):
		c.diags.Add(diag.New("invalid-type", a.Expr.Range(), "the type of an approval must be a value type, and this is %s", types.Phrase(t)).
			WithDetail("The value types are %s.", "string, number, bool, list(T), set(T), map(T), object({…}) and any"))
	default:
		o.Type = t
	}
}

func (c approvalCheck) check() {
	s, b := c.step, c.step.Block.One("approval")
	c.onlyAsks()
	s.Approval = &model.Approval{Timeout: attribute.Duration(c.project, b, "timeout", 0)}
	s.Doc, _ = c.project.Attributes.String(s.Block, "description")
	s.ContinueOnFailure, _ = c.project.Attributes.Bool(s.Block, "continue_on_failure")
	if e := b.Attr("message"); e != nil {
		if v := c.values.Value(s, language.Runtime, e); c.values.Assign(v, cty.String, e, hcl.Range{}) {
			s.Approval.Message = v
			if v.Const != cty.NilVal && v.Const.AsString() == "" {
				c.diags.Add(diag.New("invalid-value", e.Range(), "the message of an approval can't be empty"))
			}
		}
	}
	c.byDefault(b)
}

// byDefault checks the value that is used if there is no answer in time.
func (c approvalCheck) byDefault(b *decode.Block) {
	a := b.Attrs["default"]
	switch {
	case a == nil || c.step.Incomplete:
		return
	case b.Attrs["type"] == nil:
		c.diags.Add(diag.New("out-of-place", a.NameRange, "`default` is the value of an approval, and this approval has no `type`").
			WithSuggestion("set the type of the value, for example type = bool"))
		return
	case b.Attrs["timeout"] == nil && !b.Tried("timeout"):
		c.diags.Add(diag.New("missing", a.NameRange, "`default` is used when the approval times out, and this approval has no `timeout`").
			WithSuggestion(`set timeout = "24h"`))
	}
	v, ok := c.values.Default(b, c.step.Output(program.ApprovalOutput).Type, hcl.Range{})
	switch {
	case !ok:
	case v.IsNull():
		c.diags.Add(diag.New("null-value", a.Expr.Range(), "the default of an approval can't be null").
			WithSuggestion("remove `default`: the status of the step is then timed_out, which other steps can read"))
	default:
		c.step.Approval.Default = v
	}
}

// onlyAsks reports attributes and blocks that need a process.
func (c approvalCheck) onlyAsks() {
	for _, a := range c.step.Block.Sorted() {
		switch a.Name {
		case "description", "when", "depends_on", "for_each", "max_instances", "continue_on_failure":
		case "timeout":
			c.diags.Add(diag.New("out-of-place", a.NameRange, "the `timeout` of a step applies to its process, and an approval has no process").
				WithSuggestion("move it to the block approval"))
		case "max_parallel":
			c.diags.Add(diag.New("out-of-place", a.NameRange, "`max_parallel` has no effect on an approval: all its instances ask at the same time"))
		default:
			c.needsProcess(a.NameRange, a.Name)
		}
	}
	for _, b := range c.step.Block.Blocks {
		c.onlyAsksBlock(b)
	}
}

func (c approvalCheck) onlyAsksBlock(b *decode.Block) {
	switch b.Def.Name {
	case "approval":
	case "output":
		d := diag.New("out-of-place", b.DefRange, "an approval has no `output` blocks: the value that the approver gives is step.%s.value", c.step.Name())
		if c.step.Block.One("approval").Attrs["type"] == nil {
			d = d.WithSuggestion("set `type` in the block approval")
		}
		c.diags.Add(d)
	case "input":
		c.diags.Add(diag.New("out-of-place", b.DefRange, "an approval has no inputs: its message can read other steps directly").
			WithSuggestion(`write message = "… ${step.NAME.OUTPUT} …"`))
	case "retry":
		c.diags.Add(diag.New("out-of-place", b.DefRange, "an approval can't be retried: a rejection is an answer"))
	case "repeat":
		c.diags.Add(diag.New("out-of-place", b.DefRange, "an approval can't be repeated").
			WithDetail("In a pipeline that is called by a step with `repeat`, an approval asks in every round."))
	case "concurrency":
		c.diags.Add(diag.New("out-of-place", b.DefRange, "`concurrency` needs a step that runs a process or calls a pipeline, and this step asks for an approval"))
	default:
		c.needsProcess(b.DefRange, b.Def.Name)
	}
}

func (c approvalCheck) needsProcess(at hcl.Range, name string) {
	c.diags.Add(diag.New("out-of-place", at, "`%s` needs a step with a process, and this step asks for an approval", name))
}
