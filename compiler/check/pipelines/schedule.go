package pipelines

import (
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // time zones are checked the same on every machine

	"github.com/hashicorp/hcl/v2"
	"github.com/robfig/cron/v3"
	"github.com/zclconf/go-cty/cty"

	"pipec.dev/pipec/compiler/check/attribute"
	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/diag"
	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
	"pipec.dev/pipec/schema/types"
)

// minDeadline is how often the CronJob controller looks at schedules. With a shorter deadline it would miss some runs.
const minDeadline = 10 * time.Second

// scheduleCheck checks a `schedule` block of a pipeline.
type scheduleCheck struct {
	context
	block *decode.Block
}

// checkSchedules checks the schedules of a pipeline. If there are several, each needs a name.
func checkSchedules(c context) []*model.Schedule {
	var out []*model.Schedule
	first := map[string]*decode.Block{}
	blocks := c.pipeline.Block.All("schedule")
	for _, b := range blocks {
		switch other := first[b.Label]; {
		case b.Label == "" && len(blocks) > 1:
			c.diags.Add(diag.New("missing", b.DefRange, "a pipeline with several schedules needs a name for each").
				WithSuggestion(`write schedule "NAME" { … }`))
		case other != nil:
			c.diags.Add(diag.New("duplicate", b.LabelRange, "%s is declared twice", attribute.Describe(b)).
				WithRelated(other.LabelRange, "the first declaration is here"))
		}
		first[b.Label] = b
		out = append(out, checkSchedule(c, b))
	}
	slices.SortStableFunc(out, func(a, b *model.Schedule) int { return strings.Compare(a.Name, b.Name) })
	return out
}

func checkSchedule(c context, b *decode.Block) *model.Schedule {
	s := &model.Schedule{Block: b, Name: b.Label, Timezone: "UTC", Overlap: "forbid"}
	check := scheduleCheck{context: c, block: b}
	if text, ok := c.project.Attributes.String(b, "cron"); ok {
		s.Cron = strings.Join(strings.Fields(text), " ")
		check.cron(s.Cron)
	}
	if zone, ok := c.project.Attributes.String(b, "timezone"); ok {
		s.Timezone = zone
		if _, err := time.LoadLocation(zone); err != nil || zone == "" || strings.EqualFold(zone, "local") {
			c.diags.Add(diag.New("invalid-schedule", b.Attr("timezone").Range(), "there is no time zone %q", zone).
				WithDetail(`Time zones have IANA names, such as "Europe/Berlin" or "UTC".`))
		}
	}
	if o, ok := c.project.Attributes.String(b, "overlap"); ok {
		s.Overlap = o
	}
	s.Suspend, _ = c.project.Attributes.Bool(b, "suspend")
	s.Deadline = attribute.Duration(c.project, b, "deadline", 0)
	if s.Deadline != 0 && s.Deadline.D() < minDeadline {
		c.diags.Add(diag.New("invalid-value", b.Attr("deadline").Range(), "with a deadline of less than %s, runs would be missed", minDeadline).
			WithDetail("The cluster checks its schedules every 10 seconds."))
	}
	s.SuccessHistory, s.FailureHistory = check.history("success_history"), check.history("failure_history")
	s.Params = check.params()
	return s
}

// history returns how many ended Jobs are kept, or nil if the block does not set it.
func (c scheduleCheck) history(name string) *int {
	if n, ok := c.project.Attributes.Int(c.block, name, 0); ok {
		return &n
	}
	return nil
}

// cron checks a cron expression with the parser that the CronJob controller uses.
func (c scheduleCheck) cron(text string) {
	at := c.block.Attr("cron").Range()
	if strings.Contains(text, "TZ=") {
		c.diags.Add(diag.New("invalid-schedule", at, "the time zone of a schedule is set by `timezone`, not in `cron`"))
		return
	}
	spec, err := cron.ParseStandard(text)
	if err != nil {
		c.cronFault(text, at)
		return
	}
	if suspended, _ := c.project.Attributes.Bool(c.block, "suspend"); !suspended && spec.Next(someday).IsZero() {
		c.diags.Add(diag.New("invalid-schedule", at, "no day matches %q, so the schedule would never start a run", text).
			WithDetail("Day of month and month never meet: no month of the list has such a day.").
			WithSuggestion("a schedule that is not to start runs has `suspend = true`"))
	}
}

// someday is when a schedule is looked at: every day of the calendar comes within the five years after it.
var someday = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// cronFields are the fields of a cron expression.
var cronFields = []struct{ name, expected, others string }{
	{"minute", "0 to 59", "%s * * * *"},
	{"hour", "0 to 23", "* %s * * *"},
	{"day of month", "1 to 31", "* * %s * *"},
	{"month", "1 to 12, or JAN to DEC", "* * * %s *"},
	{"day of week", "0 (Sunday) to 6, or SUN to SAT", "* * * * %s"},
}

const cronForm = `Its five fields are minute, hour, day of month, month and day of week: "0 3 * * *" is every day at 3:00.`

// cronFault reports what is wrong with a cron expression.
func (c scheduleCheck) cronFault(text string, at hcl.Range) {
	fields := strings.Fields(text)
	d := diag.New("invalid-schedule", at, "%q is not a cron expression", text).WithDetail(cronForm)
	switch {
	case strings.HasPrefix(text, "@"):
		c.diags.Add(d.WithSuggestion("@hourly, @daily, @weekly, @monthly and @yearly are allowed instead of five fields"))
		return
	case len(fields) == 6:
		c.diags.Add(d.WithDetail("It has 6 fields. There is no field for seconds or years. %s", cronForm))
		return
	case len(fields) != len(cronFields):
		c.diags.Add(d.WithDetail("It has %s. %s", counted(len(fields), "field"), cronForm))
		return
	}
	for i, field := range fields {
		f := cronFields[i]
		if _, err := cron.ParseStandard(fmt.Sprintf(f.others, field)); err == nil {
			continue
		}
		d := diag.New("invalid-schedule", at, "%q is not a cron expression: %q is not valid for the %s", text, field, f.name).
			WithDetail("The %s is %s. A field can also be *, a range (1-5), a list (1,3) or steps (*/5, 1-30/5).", f.name, f.expected)
		if f.name == "day of week" && strings.Contains(field, "7") {
			d = d.WithSuggestion("write 0 for Sunday")
		}
		c.diags.Add(d)
		return
	}
	c.diags.Add(d)
}

// params checks the values with which scheduled runs are started. Every param without a default needs one.
func (c scheduleCheck) params() map[string]cty.Value {
	given, ok := c.given()
	if !ok {
		return nil
	}
	declared := c.pipeline.Params
	out := map[string]cty.Value{}
	for _, name := range evaluate.Names(given) {
		e := evaluate.Part(c.block.Attr("params"), name)
		q, ok := declared[name]
		if !ok {
			c.diags.Add(diag.New("unknown-reference", e.Range(), "no param is named %q", name).
				WithDetail("%s", evaluate.Listed("Declared", evaluate.Names(declared))).DidYouMean(name, evaluate.Names(declared)))
			continue
		}
		v := model.Constant(given[name])
		if c.values.Assign(v, q.Type, e, attribute.TypeRange(q.Block, q.Block.LabelRange)) {
			out[name] = v.Written
			c.size(v.Written, e.Range())
		}
	}
	for _, name := range evaluate.Names(declared) {
		b := declared[name].Block
		if _, ok := given[name]; !ok && b.Attr("default") == nil && b.Attr("source") == nil {
			c.diags.Add(diag.New("missing", c.block.DefRange, "the schedule has no value for param %q, which has no default", name).
				WithRelated(b.LabelRange, "the param is declared here"))
		}
	}
	return out
}

// given returns the attribute `params`. ok is false if it is invalid.
func (c scheduleCheck) given() (values map[string]cty.Value, ok bool) {
	e := c.block.Attr("params")
	if e == nil {
		return nil, true
	}
	v, ok := c.project.Constants.Written(e)
	if !ok {
		return nil, false
	}
	if evaluate.IsSensitive(v) {
		c.diags.Add(c.project.Values.SensitiveFault(e))
		return nil, false
	}
	if t := v.Type(); v.IsNull() || !t.IsObjectType() && !t.IsMapType() {
		c.diags.Add(diag.New("type-mismatch", e.Range(), "`params` must be a map of values: { NAME = value }"))
		return nil, false
	}
	v, part := types.Unmark(v)
	values = v.AsValueMap()
	for name := range values {
		values[name] = part(values[name])
	}
	return values, true
}

// size reports a value that is too large for a program.
func (c scheduleCheck) size(v cty.Value, at hcl.Range) {
	data, err := types.ToJSON(v)
	if err != nil {
		c.diags.Add(diag.New("evaluation", at, "this value can't be encoded: %v", err))
		return
	}
	if len(data) > types.MaxValue {
		c.diags.Add(diag.New("too-large", at, "this value has %d bytes, and the limit is %d", len(data), types.MaxValue))
	}
}
