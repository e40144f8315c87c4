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
	Summary: "A step has caching on, and reads a value that differs in each run: the time, a random value, or the run's name.",
	Doc: "If the step reads the run's name or time, no two runs have the same cache key, and no result is ever reused. If the " +
		"command itself reads the time or random values, the key stays the same, and the result of one day is reused on all others. Pass such " +
		"values to the step as inputs with a meaning, such as a date, switch `cache` off, or declare what counts with `cache { key = … }`.",
	Check: func(p *Pass) {
		for _, s := range p.Steps {
			if s.Cache == nil {
				continue
			}
			for _, v := range cacheValues(s) {
				for _, u := range v.Uses {
					if u.Ref == "run.name" || u.Ref == "run.scheduled_at" {
						p.Report(p.New(u.At, "%s differs in each run, so the result of %q is never reused from the cache", u.Ref, s.Name()))
					}
				}
			}
			for i, v := range s.Command {
				if what := random(textOf(v), i == 0 || i == script(s) && shell(s)); what != "" {
					p.Report(p.New(argument(s, i), "the result of `%s` differs each time, but the cache would reuse one result forever", strings.Trim(what, "`")))
				}
			}
		}
	},
}

// random returns the part of a text that reads the time or random values, or "". program: the text is the name of a
// program, or a shell script.
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

// shell reports whether a step's command is a shell.
func shell(s *model.Step) bool {
	return len(s.Command) > 0 && slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh", "ksh"}, path.Base(textOf(s.Command[0])))
}

// Patterns for reading the time, in shell and in Python; for random values; for programs that do either; and for the
// arguments of `date` that format a given time.
var (
	clock = pattern(`\$\{?EPOCH(SECONDS|REALTIME)\b|\$\(\s*date\b|` + "`date\\b" +
		`|\btime\.time(_ns)?\(\)|\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(|\btime\.(gmtime|localtime)\(\)`)
	dice = pattern(`\$\{?S?RANDOM\b|\$\(\s*uuidgen\b|/dev/u?random\b|\buuid\.?uuid[14]\(|\buuid[14]\(\)|\bos\.urandom\(|\bsecrets\.(token_|choice|randbelow)` +
		`|\brandom\.(random|randint|randrange|choice|choices|shuffle|sample|uniform|gauss)\(|\b(np|numpy)\.random\.(rand|randn|randint|random|choice|normal|uniform|permutation|shuffle)\(|\bdefault_rng\(\)`)
	asked     = pattern(`(^|[;&|(\n` + "`" + `])\s*(date|uuidgen|shuf)\b`)
	givenDate = pattern(`^\s+(-u\s+)?(-d|-r|--date|--reference)\b`)
)

// cacheValues returns the values that are part of a step's cache key. A key that the step declares takes the place of its
// inputs and variables.
func cacheValues(s *model.Step) []*model.Value {
	out := slices.Clone(s.Command)
	for _, v := range []*model.Value{s.CommandList, s.Args, s.CacheKey} {
		if v != nil {
			out = append(out, v)
		}
	}
	if s.CacheKey != nil {
		return out
	}
	for _, in := range s.Inputs {
		if in.Value != nil {
			out = append(out, in.Value)
		}
	}
	for _, name := range evaluate.Names(s.Env) {
		out = append(out, s.Env[name])
	}
	return out
}
