package pipelines

import (
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/language"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

// stepCheck checks one step.
type stepCheck struct {
	context
	step *model.Step
}

// declareSteps declares all steps and the types of their outputs, so that references can point forward.
func declareSteps(c context) {
	for _, b := range c.pipeline.Block.Blocks {
		if b.Def.Name != "step" && b.Def.Name != "finally" {
			continue
		}
		if first := c.pipeline.Step(b.Label); first != nil {
			d := diag.New("duplicate", b.LabelRange, "%s is declared twice", attribute.Describe(b))
			if first.Block.Def != b.Def {
				d = diag.New("duplicate", b.LabelRange, "the name %q is already used by a %s block", b.Label, first.Block.Def.Name).
					WithDetail("`step` and `finally` blocks share one namespace.")
			}
			c.diags.Add(d.WithRelated(first.Block.LabelRange, "the first declaration is here"))
			continue
		}
		s := &model.Step{Block: b, Finally: b.Def.Name == "finally"}
		c.pipeline.AddStep(s)
		if b.Attr("for_each") != nil {
			s.ForEach = &model.ForEach{Type: cty.NilType, Key: cty.NilType, Elem: cty.NilType, MaxInstances: program.MaxInstances}
		}
		check := stepCheck{context: c, step: s}
		switch {
		case s.IsApproval():
			approvalCheck{check}.declare()
		case b.Attr("pipeline") != nil:
			callCheck{check}.declare()
		default:
			check.outputs()
		}
	}
}

func (c stepCheck) check() {
	s := c.step
	c.instances()
	if s.IsApproval() {
		approvalCheck{c}.check()
		c.when()
		s.DependsOn = c.values.DependsOn(s)
		return
	}
	c.inputs()
	c.repeat()
	s.Concurrency = c.concurrency()
	if s.Block.Attr("pipeline") == nil {
		c.environmentNames()
	}
	c.work()
	environmentCheck{stepCheck: c}.check()
	c.when()
	c.settings()
	c.function()
	s.DependsOn = c.values.DependsOn(s)
}

// instances checks for_each and its limits.
func (c stepCheck) instances() {
	b := c.step.Block
	if c.step.ForEach == nil {
		for _, name := range []string{"max_parallel", "max_instances"} {
			if a := b.Attrs[name]; a != nil && !b.Tried("for_each") {
				c.diags.Add(diag.New("out-of-place", a.NameRange, "`%s` needs a step with for_each", name))
			}
		}
		return
	}
	f := c.values.ForEach(c.step)
	if n, ok := c.project.Attributes.Int(b, "max_parallel", 1); ok {
		f.MaxParallel = n
	}
	if n, ok := c.project.Attributes.Int(b, "max_instances", 1); ok {
		f.MaxInstances = n
	}
}

func (c stepCheck) when() {
	e := c.step.Block.Attr("when")
	if e == nil {
		return
	}
	if v := c.values.Value(c.step, language.Runtime, e); c.values.Assign(v, cty.Bool, e, hcl.Range{}) {
		c.step.When = v
	}
}

// settings checks the attributes whose values are the same for all instances.
func (c stepCheck) settings() {
	s, b := c.step, c.step.Block
	defer c.project.Scope.For(attribute.SameForAll(b))()
	s.Doc, _ = c.project.Attributes.String(b, "description")
	if s.Code = attribute.Declared(c.project, b, "code", c.project.Codes); s.Code == "" && b.Attr("code") == nil {
		s.Code = c.pipeline.Code
	}
	s.Timeout = attribute.Duration(c.project, b, "timeout", 0)
	s.PendingTimeout = attribute.Duration(c.project, b, "pending_timeout", 0)
	s.Grace = attribute.Duration(c.project, b, "grace", program.Duration(30*time.Second))
	s.ContinueOnFailure, _ = c.project.Attributes.Bool(b, "continue_on_failure")
	if b.Attr("pipeline") == nil {
		c.step.Retry.Attempts, c.step.Retry.Infrastructure = 1, 3
		c.retry()
		c.cache()
	} else {
		c.retry()
	}
}

func (c stepCheck) retry() {
	r := &c.step.Retry
	b := c.step.Block.One("retry")
	if b == nil {
		return
	}
	r.Attempts = 1
	r.Delay, r.Factor, r.MaxDelay = program.Duration(10*time.Second), 2, program.Duration(5*time.Minute)
	if n, ok := c.project.Attributes.Int(b, "attempts", 1); ok {
		r.Attempts = n
	}
	r.Delay = attribute.Duration(c.project, b, "delay", r.Delay)
	r.MaxDelay = attribute.Duration(c.project, b, "max_delay", r.MaxDelay)
	r.Within = attribute.Duration(c.project, b, "within", 0)
	if f, ok := c.project.Attributes.Float(b, "factor", 1); ok {
		r.Factor = f
	}
	if n, ok := c.project.Attributes.Int(b, "infrastructure", 0); ok {
		r.Infrastructure = n
	}
	if f, ok := c.project.Attributes.Float(b, "oom_memory_factor", 1); ok {
		r.OOMFactor = f
	}
	r.AvoidNode, _ = c.project.Attributes.Bool(b, "avoid_node")
	r.OnExitCodes = c.project.Attributes.ExitCodes(b, "on_exit_codes")
	if e := b.Attr("when"); e != nil {
		if v := c.values.Value(c.step, language.Retry, e); c.values.Assign(v, cty.Bool, e, hcl.Range{}) {
			r.When = v
		}
	}
}

// cacheKey checks what the result depends on. A path of an artifact is the same in each run and not its content.
func (c stepCheck) cacheKey(b *decode.Block) {
	e := b.Attr("key")
	if e == nil {
		return
	}
	v := c.values.Value(c.step, language.Own, e)
	switch {
	case v == nil:
	case holdsArtifact(v.Type):
		c.diags.Add(diag.New("type-mismatch", e.Range(), "a cache key must be a value, found %s", types.Phrase(v.Type)).
			WithSuggestion("remove `key`: without it, the content of the inputs counts"))
	case v.Const != cty.NilVal && v.Const.IsNull():
	default:
		c.step.CacheKey = v
	}
}

// cache checks `cache`, an attribute or a block. Steps of finally and steps without outputs are never cached.
func (c stepCheck) cache() {
	s := c.step
	b := s.Block.One("cache")
	if e, object := s.Block.Attr("cache").(*hclsyntax.ObjectConsExpr); object {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "expected a bool, found an object").
			WithSuggestion("`cache` with settings is a block: write cache { … }, without ="))
		return
	}
	on, set := c.project.Attributes.Bool(s.Block, "cache")
	if b != nil && s.Block.Attrs["cache"] != nil {
		c.diags.Add(diag.New("duplicate", b.DefRange, "`cache` can't be both an attribute and a block").
			WithRelated(s.Block.Attrs["cache"].NameRange, "the attribute is here"))
	}
	if b == nil && !on && (set || !c.pipeline.Cache) || s.Finally || len(s.Outputs) == 0 {
		return
	}
	s.Cache = &program.Cache{}
	if b != nil {
		s.Cache.Salt, _ = c.project.Attributes.String(b, "salt")
		s.Cache.TTL = attribute.Duration(c.project, b, "ttl", 0)
		c.cacheKey(b)
	}
}
