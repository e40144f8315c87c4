package check

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// Approval is a checked approval.
type Approval struct {
	Message *Value
	Default cty.Value // cty.NilVal without one
}

// asks says whether the step is an approval, and only that: what else it says it does is told by work.
func (s *Step) asks() bool {
	return s.Block.One("approval") != nil && s.work() == nil
}

// work is the attribute that says what the step does, where it is no approval; nil: there is none.
func (s *Step) work() *hcl.Attribute {
	for _, name := range []string{"command", "python", "pipeline"} {
		if a := s.Block.Attrs[name]; a != nil {
			return a
		}
	}
	return nil
}

// declareApproval names the one output that an approval may have: the value that the approver gives.
func (c *checker) declareApproval(s *Step) {
	b := s.Block.One("approval")
	a := b.Attrs["type"]
	if a == nil {
		s.faulty = b.Tried("type")
		return
	}
	def := language.Root().Block("pipeline").Block("step").Block("output")
	o := &Output{Block: &decode.Block{
		Def: def, Label: program.ApprovalOutput, LabelRange: a.Range, DefRange: a.Range, Attrs: map[string]*hcl.Attribute{"type": a},
	}}
	s.Outputs, s.outputs[program.ApprovalOutput] = append(s.Outputs, o), o
	t, ok := evaluate.Type(a.Expr, c.diags)
	switch {
	case !ok:
	case types.HasArtifact(t):
		c.diags.Add(diag.New("invalid-type", a.Expr.Range(), "an approver gives a value, and %s is none", types.Phrase(t)).
			WithDetail("Values are %s.", "string, number, bool, list(T), set(T), map(T), object({…}) and any"))
	default:
		o.Type = t
	}
}

// approval checks a step that asks, and has no process.
func (c *checker) approval(p *Pipeline, s *Step) {
	b := s.Block.One("approval")
	c.instances(p, s)
	c.onlyAsks(s)
	out := &program.Approval{Timeout: c.duration(b, "timeout", 0)}
	s.Approval, s.Program.Approval = &Approval{Default: cty.NilVal}, out
	s.Program.Name = s.Block.Label
	s.Program.Doc, _ = c.world.String(s.Block, "description")
	s.Program.ContinueOnFailure, _ = c.world.Bool(s.Block, "continue_on_failure")
	if e := b.Attr("message"); e != nil {
		if v := c.value(p, s, language.Runtime, e); c.wanted(v, cty.String, e, hcl.Range{}) {
			s.Approval.Message = v
			if v.Const != cty.NilVal && v.Const.AsString() == "" {
				c.diags.Add(diag.New("invalid-value", e.Range(), "the message says what is asked, and this one is empty"))
			}
		}
	}
	c.approvalDefault(s, b, out)
	c.when(p, s)
	c.needs(p, s)
}

// approvalDefault checks the value that is taken when nobody has answered in time.
func (c *checker) approvalDefault(s *Step, b *decode.Block, out *program.Approval) {
	a := b.Attrs["default"]
	switch {
	case a == nil || s.faulty:
		return
	case b.Attrs["type"] == nil:
		c.diags.Add(diag.New("out-of-place", a.NameRange, "`default` is a value, and this approval asks for none").
			WithSuggestion("write the `type` of the value too, such as type = bool"))
		return
	case b.Attrs["timeout"] == nil && !b.Tried("timeout"):
		c.diags.Add(diag.New("missing", a.NameRange, "`default` is the value when nobody has answered in time, and there is no `timeout`").
			WithSuggestion(`write timeout = "24h"`))
	}
	o := s.outputs[program.ApprovalOutput]
	v, ok := c.byDefault(b, o.Type, hcl.Range{})
	switch {
	case !ok:
	case v.IsNull():
		c.diags.Add(diag.New("null-value", a.Expr.Range(), "the value when nobody has answered in time can't be null").
			WithSuggestion("leave `default` out: the step is then timed_out, and others can ask for its status"))
	default:
		s.Approval.Default = v
	}
}

// onlyAsks tells what an approval has no use for: it has no process, and so no pod.
func (c *checker) onlyAsks(s *Step) {
	for _, a := range s.Block.Sorted() {
		switch a.Name {
		case "description", "when", "depends_on", "for_each", "max_instances", "continue_on_failure":
		case "timeout":
			c.diags.Add(diag.New("out-of-place", a.NameRange, "`timeout` of a step is for its process, and an approval has none").
				WithSuggestion("write it in the block approval"))
		case "max_parallel":
			c.diags.Add(diag.New("out-of-place", a.NameRange, "`max_parallel` is for what runs at once, and all instances of an approval ask at once"))
		default:
			c.needsProcess(a.NameRange, a.Name)
		}
	}
	for _, b := range s.Block.Blocks {
		switch b.Def.Name {
		case "approval":
		case "output":
			d := diag.New("out-of-place", b.DefRange, "an approval has no outputs of its own: what the approver gives is step.%s.value", s.Name())
			if s.Block.One("approval").Attrs["type"] == nil {
				d = d.WithSuggestion("write its `type` in the block approval")
			}
			c.diags.Add(d)
		case "input":
			c.diags.Add(diag.New("out-of-place", b.DefRange, "an approval has no inputs: its message reads what it needs").
				WithSuggestion(`write message = "… ${step.NAME.OUTPUT} …"`))
		case "retry":
			c.diags.Add(diag.New("out-of-place", b.DefRange, "an approval is not tried again: who rejects it has answered"))
		case "repeat":
			c.diags.Add(diag.New("out-of-place", b.DefRange, "an approval has no rounds: nothing changes between them").
				WithDetail("In a pipeline that a step with `repeat` calls, it asks in every round."))
		case "concurrency":
			c.diags.Add(diag.New("out-of-place", b.DefRange, "`concurrency` is for a step that runs something, and an approval waits for somebody"))
		default:
			c.needsProcess(b.DefRange, b.Def.Name)
		}
	}
}

func (c *checker) needsProcess(at hcl.Range, name string) {
	c.diags.Add(diag.New("out-of-place", at, "`%s` is for a step with a process, and this one asks for an approval", name))
}
