package check

import (
	"encoding/json"
	"strings"
	"time"
	_ "time/tzdata" // time zones are checked the same on every machine

	"github.com/hashicorp/hcl/v2"
	"github.com/robfig/cron/v3"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/types"
)

func (c *checker) schedule(p *Pipeline) {
	b := p.Block.One("schedule")
	if b == nil {
		return
	}
	s := &program.Schedule{Timezone: "UTC", Overlap: "forbid"}
	p.Program.Schedule = s
	if text, ok := c.world.String(b, "cron"); ok {
		s.Cron = strings.Join(strings.Fields(text), " ")
		c.cron(b, s.Cron)
	}
	if zone, ok := c.world.String(b, "timezone"); ok {
		s.Timezone = zone
		if _, err := time.LoadLocation(zone); err != nil || zone == "" || strings.EqualFold(zone, "local") {
			c.diags.Add(diag.New("invalid-schedule", b.Attr("timezone").Range(), "there is no time zone %q", zone).
				WithDetail(`Time zones have IANA names, such as "Europe/Berlin" or "UTC".`))
		}
	}
	if o, ok := c.world.String(b, "overlap"); ok {
		s.Overlap = o
	}
	s.Suspend, _ = c.world.Bool(b, "suspend")
	s.Deadline = c.duration(b, "deadline", 0)
	if s.Deadline != 0 && s.Deadline.D() < minDeadline {
		c.diags.Add(diag.New("invalid-value", b.Attr("deadline").Range(), "a deadline of less than %s would leave runs out", minDeadline).
			WithDetail("The cluster looks at its schedules every 10 seconds."))
	}
	s.SuccessHistory, s.FailureHistory = c.history(b, "success_history"), c.history(b, "failure_history")
	s.Params = c.scheduleParams(p, b)
}

// minDeadline is how often the CronJob controller looks at schedules: with a shorter deadline it would miss some.
const minDeadline = 10 * time.Second

// history is how many ended Jobs are kept; nil where nothing is said.
func (c *checker) history(b *decode.Block, name string) *int {
	if n, ok := c.world.Int(b, name, 0); ok {
		return &n
	}
	return nil
}

// cron checks with the parser that the cluster's own controller uses.
func (c *checker) cron(b *decode.Block, text string) {
	at := b.Attr("cron").Range()
	if strings.Contains(text, "TZ=") {
		c.diags.Add(diag.New("invalid-schedule", at, "the time zone of a schedule is its attribute `timezone`, not part of cron"))
		return
	}
	if _, err := cron.ParseStandard(text); err != nil {
		c.diags.Add(diag.New("invalid-schedule", at, "%q is not a cron expression: %v", text, err).
			WithDetail(`Its five fields are minute, hour, day of month, month and day of week: "0 3 * * *" is every day at 3:00.`))
	}
}

// scheduleParams are the values that scheduled runs are started with; every param without a default needs one.
func (c *checker) scheduleParams(p *Pipeline, b *decode.Block) map[string]json.RawMessage {
	given := map[string]cty.Value{}
	if e := b.Attr("params"); e != nil {
		v, ok := c.world.Const(e)
		if !ok {
			return nil
		}
		if evaluate.IsSensitive(v) {
			c.diags.Add(c.world.SensitiveFault(e))
			return nil
		}
		if t := v.Type(); v.IsNull() || !t.IsObjectType() && !t.IsMapType() {
			c.diags.Add(diag.New("type-mismatch", e.Range(), "`params` is a map of values: { NAME = value }"))
			return nil
		}
		given = v.AsValueMap()
	}
	out := map[string]json.RawMessage{}
	for _, name := range evaluate.Names(given) {
		e := evaluate.Part(b.Attr("params"), name)
		at := e.Range()
		q, ok := p.Params[name]
		if !ok {
			c.diags.Add(diag.New("unknown-reference", at, "no param is named %q", name).
				WithDetail("%s", evaluate.Listed("There are", evaluate.Names(p.Params))).DidYouMean(name, evaluate.Names(p.Params)))
			continue
		}
		v := &Value{Const: given[name], Type: given[name].Type()}
		if c.wanted(v, q.Type, e, typePlace(q.Block, q.Block.LabelRange)) {
			out[name] = c.json(v.Const, at)
		}
	}
	for _, name := range evaluate.Names(p.Params) {
		q := p.Params[name]
		if _, ok := given[name]; !ok && q.Block.Attr("default") == nil && q.Block.Attr("source") == nil {
			c.diags.Add(diag.New("missing", b.DefRange, "the schedule gives no value for param %q, which has no default", name).
				WithRelated(q.Block.LabelRange, "the param is declared here"))
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// json writes a constant; one that is too large is told.
func (c *checker) json(v cty.Value, at hcl.Range) json.RawMessage {
	data, err := types.ToJSON(v)
	if err != nil {
		c.diags.Add(diag.New("evaluation", at, "this value can't be kept: %v", err))
		return nil
	}
	if len(data) > types.MaxValue {
		c.diags.Add(diag.New("too-large", at, "this value has %d bytes, and a value may have %d", len(data), types.MaxValue))
		return nil
	}
	return data
}
