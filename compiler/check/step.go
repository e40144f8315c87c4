package check

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"k8s.io/apimachinery/pkg/util/validation"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// declareSteps names all steps and the types of their outputs, so that references may go forward.
func (c *checker) declareSteps(p *Pipeline) {
	for _, b := range p.Block.Blocks {
		if b.Def.Name != "step" && b.Def.Name != "finally" {
			continue
		}
		s := &Step{Block: b, Finally: b.Def.Name == "finally", inputs: map[string]*Input{}, outputs: map[string]*Output{}, Needs: map[string]*Need{}}
		if first, twice := p.byName[b.Label]; twice {
			d := diag.New("duplicate", b.LabelRange, "%s is declared twice", describe(b))
			if first.Block.Def != b.Def {
				d = diag.New("duplicate", b.LabelRange, "the name %q is taken by a %s", b.Label, first.Block.Def.Name).
					WithDetail("Steps and those of finally share their names.")
			}
			c.diags.Add(d.WithRelated(first.Block.LabelRange, "the first declaration is here"))
			continue
		}
		p.byName[b.Label] = s
		p.Steps = append(p.Steps, s)
		if b.Attr("for_each") != nil {
			s.ForEach = &ForEach{Type: cty.NilType, Key: cty.NilType, Elem: cty.NilType}
		}
		switch {
		case s.asks():
			c.declareApproval(s)
		case b.Attr("pipeline") == nil:
			for _, n := range b.All("output") {
				c.output(s, n)
			}
		}
	}
	for _, s := range p.Steps {
		c.calls(p, s)
	}
}

func (c *checker) output(s *Step, b *decode.Block) {
	if first, twice := s.outputs[b.Label]; twice {
		c.diags.Add(diag.New("duplicate", b.LabelRange, "output %q is declared twice", b.Label).
			WithRelated(first.Block.LabelRange, "the first declaration is here"))
		return
	}
	o := &Output{Block: b}
	s.outputs[b.Label] = o
	s.Outputs = append(s.Outputs, o)
	if _, reserved := statusTypes[b.Label]; reserved {
		c.diags.Add(diag.New("invalid-name", b.LabelRange, "an output can't be named %q", b.Label).
			WithDetail("step.%s.%s says how the step ended.", s.Name(), b.Label))
	}
	if e := b.Attr("type"); e != nil {
		if t, ok := evaluate.Type(e, c.diags); ok {
			o.Type = t
		}
	}
	c.world.String(b, "description")
	if v, ok := c.byDefault(b, o.Type, b.LabelRange); ok {
		o.Default = v
	}
	o.Optional, _ = c.world.Bool(b, "optional")
	o.Glob = c.glob(b, o.Type)
}

func (c *checker) step(p *Pipeline, s *Step) {
	if s.asks() {
		c.approval(p, s)
		return
	}
	c.instances(p, s)
	for _, n := range s.Block.All("input") {
		c.input(p, s, n)
	}
	c.repeat(p, s)
	c.concurrency(s)
	if s.Block.Attr("pipeline") == nil {
		c.environmentNames(s)
	}
	c.work(p, s)
	c.env(p, s)
	c.when(p, s)
	c.plain(p, s)
	c.pods(p, s)
	c.needs(p, s)
}

func (c *checker) when(p *Pipeline, s *Step) {
	e := s.Block.Attr("when")
	if e == nil {
		return
	}
	if s.When = c.value(p, s, language.Runtime, e); s.When != nil && !c.wanted(s.When, cty.Bool, e, hcl.Range{}) {
		s.When = nil
	}
}

func (c *checker) input(p *Pipeline, s *Step, b *decode.Block) {
	if first, twice := s.inputs[b.Label]; twice {
		c.diags.Add(diag.New("duplicate", b.LabelRange, "input %q is declared twice", b.Label).
			WithRelated(first.Block.LabelRange, "the first declaration is here"))
		return
	}
	in := &Input{Block: b}
	s.inputs[b.Label] = in
	s.Inputs = append(s.Inputs, in)
	declared := cty.NilType
	if s.Callee != nil {
		q := s.Callee.Params[b.Label]
		if q == nil {
			c.unknownParam(s, b)
			return
		}
		q.used = true
		declared = q.Type
	}
	if e := b.Attr("type"); e != nil {
		t, ok := evaluate.Type(e, c.diags)
		if !ok {
			return
		}
		if s.Callee != nil && declared != cty.NilType {
			if m := types.Assignable(t, declared); m != nil {
				c.diags.Add(diag.New("type-mismatch", e.Range(), "param %q of pipeline %q is %s, and this is %s", b.Label, s.Callee.Block.Label, types.Phrase(declared), types.Phrase(t)))
			}
			t = declared
		}
		declared = t
	}
	e := b.Attr("value")
	if e == nil {
		return
	}
	var v *Value
	if written, ok := c.lastSuccess(e); ok {
		v = c.value(p, s, language.Runtime, written)
	}
	if v == nil {
		in.Type = declared
		return
	}
	want := declared
	if want == cty.NilType {
		want = v.Type
	}
	if !c.wanted(v, want, e, typePlace(b, hcl.Range{})) {
		in.Type = declared
		return
	}
	in.Type, in.Value = want, v
	if d, ok := c.byDefault(b, want, b.LabelRange); ok {
		in.Default = d
	}
}

// work checks what the step does: exactly one of command, python, pipeline and approval, which one that asks has alone.
func (c *checker) work(p *Pipeline, s *Step) {
	command, python, call := s.Block.Attrs["command"], s.Block.Attrs["python"], s.Block.Attrs["pipeline"]
	if b := s.Block.One("approval"); b != nil {
		a := s.work()
		what := map[string]string{"command": "has a command", "python": "has a python function", "pipeline": "calls a pipeline"}[a.Name]
		c.diags.Add(diag.New("duplicate", b.DefRange, "a step asks for an approval or %s, not both", what).
			WithRelated(a.NameRange, "the `%s` is here", a.Name).
			WithSuggestion("make it a step of its own, and have this one depend on that"))
	}
	switch {
	case call != nil && (command != nil || python != nil):
		other, what := command, "command"
		if other == nil {
			other, what = python, "python function"
		}
		c.diags.Add(diag.New("duplicate", other.NameRange, "a step calls a pipeline or has a %s, not both", what).
			WithRelated(call.NameRange, "the call is here"))
	case call != nil:
		if s.Callee != nil {
			c.arguments(s)
		}
	case command == nil && python == nil && s.Block.Tried("command", "python", "approval"):
	case command == nil && python == nil:
		c.diags.Add(diag.New("missing", s.Block.DefRange, "%s does not say what it does", describe(s.Block)).
			WithSuggestion(`write command = ["program", "argument"] or python = "module:function"`))
	case command != nil && python != nil:
		c.diags.Add(diag.New("duplicate", python.NameRange, "a step has a command or a python function, not both").
			WithRelated(command.NameRange, "the command is here"))
	case command != nil:
		c.command(p, s, command.Expr)
	default:
		c.python(s)
	}
}

// plain checks the attributes that are plain data.
func (c *checker) plain(p *Pipeline, s *Step) {
	w, b, out := c.world, s.Block, &s.Program
	defer w.For(sameForAll(s))()
	out.Name = b.Label
	out.Doc, _ = w.String(b, "description")
	if out.Code = c.ref(b, "code", w.Codes); out.Code == "" && b.Attr("code") == nil {
		out.Code = p.code
	}
	out.Timeout = c.duration(b, "timeout", 0)
	out.PendingTimeout = c.duration(b, "pending_timeout", 0)
	out.Grace = c.duration(b, "grace", program.Duration(30*time.Second))
	out.ContinueOnFailure, _ = w.Bool(b, "continue_on_failure")
	if b.Attr("pipeline") == nil {
		c.retry(p, s)
		c.cache(p, s)
	}
}

// podOf checks what is said of the step's pod.
func (c *checker) podOf(p *Pipeline, s *Step) {
	b, out := s.Block, &s.Program
	if out.Image = c.imageRef(b); out.Image == "" && b.Attr("image") == nil {
		out.Image = p.image
	}
	out.NodeSelector = c.labels(b, "node_selector")
	out.ServiceAccount = c.objectName(b, "service_account", validation.IsDNS1123Subdomain)
	out.Labels = c.podLabels(b)
	out.Annotations = c.podAnnotations(b)
	if b.Attr("pipeline") != nil {
		return
	}
	c.secretEnv(s)
	c.resources(s)
	c.security(s)
	c.podFields(s)
}

func (c *checker) retry(p *Pipeline, s *Step) {
	r := program.Retry{Attempts: 1, Infrastructure: 3}
	defer func() { s.Program.Retry = r }()
	b := s.Block.One("retry")
	if b == nil {
		return
	}
	r.Delay, r.Factor, r.MaxDelay = program.Duration(10*time.Second), 2, program.Duration(5*time.Minute)
	if n, ok := c.world.Int(b, "attempts", 1); ok {
		r.Attempts = n
	}
	r.Delay = c.duration(b, "delay", r.Delay)
	r.MaxDelay = c.duration(b, "max_delay", r.MaxDelay)
	r.Within = c.duration(b, "within", 0)
	if f, ok := c.world.Float(b, "factor", 1); ok {
		r.Factor = f
	}
	if n, ok := c.world.Int(b, "infrastructure", 0); ok {
		r.Infrastructure = n
	}
	if f, ok := c.world.Float(b, "oom_memory_factor", 1); ok {
		r.OOMFactor = f
	}
	r.OnExitCodes = c.world.ExitCodes(b, "on_exit_codes")
	if e := b.Attr("when"); e != nil {
		s.RetryWhen = c.value(p, s, language.Retry, e)
		if !c.wanted(s.RetryWhen, cty.Bool, e, hcl.Range{}) {
			s.RetryWhen = nil
		}
	}
}

func (c *checker) cache(p *Pipeline, s *Step) {
	on, said := c.world.Bool(s.Block, "cache")
	b := s.Block.One("cache")
	if b != nil && s.Block.Attrs["cache"] != nil {
		c.diags.Add(diag.New("duplicate", b.DefRange, "`cache` is an attribute or a block, not both").
			WithRelated(s.Block.Attrs["cache"].NameRange, "the attribute is here"))
	}
	if b == nil && !on && (said || !p.cache) {
		return
	}
	if s.Finally || len(s.Outputs) == 0 {
		return // never cached
	}
	s.Program.Cache = &program.Cache{}
	if b != nil {
		s.Program.Cache.Salt, _ = c.world.String(b, "salt")
		s.Program.Cache.TTL = c.duration(b, "ttl", 0)
	}
}
