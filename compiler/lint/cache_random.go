package lint

import (
	"strings"

	"pipec.dev/pipec/compiler/check"
	"pipec.dev/pipec/compiler/evaluate"
)

var cacheRandom = &Rule{
	Code: "cache-random", Level: Warning,
	Summary: "A step has caching on, and reads what is another in each run: the clock, chance, or the run's name.",
	Doc: "Where the run's name or its time goes into the step, no two runs have the same key, and nothing is ever taken from an earlier one. Where the " +
		"command asks the clock or throws dice itself, the key stays the same, and the result of one day is taken for that of all others. Give such " +
		"values to the step as inputs that say what they are for, such as a date, or switch `cache` off.",
	Check: func(p *Pass) {
		for _, s := range p.Steps {
			if s.Program.Cache == nil {
				continue
			}
			for _, v := range allValues(s) {
				for _, u := range v.Uses {
					if u.Ref == "run.name" || u.Ref == "run.scheduled_at" {
						p.Tell(p.New(u.At, "%s is another in each run, so that %q is never taken from the cache", u.Ref, s.Name()))
					}
				}
			}
			for i, v := range s.Command {
				if what := chance().FindString(textOf(v)); what != "" {
					p.Tell(p.New(argument(p.Project, s, i), "`%s` is another each time, and the cache would give one result for ever", strings.Trim(what, "`")))
				}
			}
		}
	},
}

// chance is what asks the clock or throws dice, in shell and in Python.
var chance = pattern(`\$\{?S?RANDOM\b|\$\{?EPOCH(SECONDS|REALTIME)\b|\$\(\s*date\b|` + "`date\\b" +
	`|\buuidgen\b|/dev/u?random\b|\btime\.time\(\)|\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(|\buuid\.?uuid[14]\(|\buuid[14]\(\)|\brandom\.(random|randint|choice)\(|\bos\.urandom\(|\bsecrets\.token_`)

// allValues are the values that a step is given.
func allValues(s *check.Step) []*check.Value {
	var out []*check.Value
	for _, in := range s.Inputs {
		if in.Value != nil {
			out = append(out, in.Value)
		}
	}
	out = append(out, s.Command...)
	if s.CommandList != nil {
		out = append(out, s.CommandList)
	}
	for _, name := range evaluate.Names(s.Env) {
		out = append(out, s.Env[name])
	}
	return out
}
