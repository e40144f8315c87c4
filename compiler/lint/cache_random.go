package lint

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"pipec.dev/pipec/compiler/evaluate"
	"pipec.dev/pipec/compiler/model"
)

var cacheRandom = &Rule{
	Code: "cache-random", Level: Warning,
	Summary: "A step has caching on, and reads what is another in each run: the clock, chance, or the run's name.",
	Doc: "Where the run's name or its time goes into the step, no two runs have the same key, and nothing is ever taken from an earlier one. Where the " +
		"command asks the clock or throws dice itself, the key stays the same, and the result of one day is taken for that of all others. Give such " +
		"values to the step as inputs that say what they are for, such as a date, or switch `cache` off.",
	Check: func(p *Pass) {
		for _, s := range p.Steps {
			if s.Cache == nil {
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
				if what := random(textOf(v), i == 0 || i == script(s) && shell(s)); what != "" {
					p.Tell(p.New(argument(p.Project, s, i), "`%s` is another each time, and the cache would give one result for ever", strings.Trim(what, "`")))
				}
			}
		}
	},
}

// random is what in a text asks the clock or throws dice; "" where nothing does. program: the text is the name of a program,
// or a shell's script.
func random(text string, program bool) string {
	patterns := []func() *regexp.Regexp{clock, dice}
	if program {
		patterns = append(patterns, asked)
	}
	seeded := strings.Contains(text, "seed(") || strings.Contains(text, "default_rng(") && !strings.Contains(text, "default_rng()")
	for i, pattern := range patterns {
		for _, at := range pattern().FindAllStringIndex(text, -1) {
			if i == 1 && seeded || strings.HasSuffix(text[at[0]:at[1]], "date") && givenDate().MatchString(text[at[1]:]) {
				continue
			}
			return strings.TrimLeft(text[at[0]:at[1]], " \t\n;&|(`")
		}
	}
	return ""
}

// shell says whether a step's command is a shell's.
func shell(s *model.Step) bool {
	return len(s.Command) > 0 && slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh", "ksh"}, path.Base(textOf(s.Command[0])))
}

// What asks the clock, in shell and in Python; what throws dice; programs that do either; and what is behind `date` where
// it writes a time that is given to it.
var (
	clock = pattern(`\$\{?EPOCH(SECONDS|REALTIME)\b|\$\(\s*date\b|` + "`date\\b" +
		`|\btime\.time(_ns)?\(\)|\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(|\btime\.(gmtime|localtime)\(\)`)
	dice = pattern(`\$\{?S?RANDOM\b|\$\(\s*uuidgen\b|/dev/u?random\b|\buuid\.?uuid[14]\(|\buuid[14]\(\)|\bos\.urandom\(|\bsecrets\.(token_|choice|randbelow)` +
		`|\brandom\.(random|randint|randrange|choice|choices|shuffle|sample|uniform|gauss)\(|\b(np|numpy)\.random\.(rand|randn|randint|random|choice|normal|uniform|permutation|shuffle)\(|\bdefault_rng\(\)`)
	asked     = pattern(`(^|[;&|(\n` + "`" + `])\s*(date|uuidgen|shuf)\b`)
	givenDate = pattern(`^\s+(-u\s+)?(-d|-r|--date|--reference)\b`)
)

// allValues are the values that a step is given.
func allValues(s *model.Step) []*model.Value {
	var out []*model.Value
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
