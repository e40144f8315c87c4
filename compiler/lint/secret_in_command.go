package lint

import (
	"regexp"
	"strings"
)

var secretInCommand = &Rule{
	Code: "secret-in-command", Level: Warning,
	Summary: "A command prints a variable that contains a secret.",
	Doc: "The output of a step is stored in its log. pipec removes the values of `secret_env` from the log, but not what is derived from them, such as their base64, " +
		"nor what another program logs. Output to a pipe or a file is not reported.",
	Check: func(p *Pass) {
		patterns := map[string]*regexp.Regexp{} // steps often have the same secrets
		for _, s := range p.Steps {
			if len(s.Pod.Secrets) == 0 {
				continue
			}
			names := make([]string, len(s.Pod.Secrets))
			for i, secret := range s.Pod.Secrets {
				names[i] = secret.Name
			}
			all := strings.Join(names, "|")
			printed := patterns[all]
			if printed == nil {
				printed = printing(all)
				patterns[all] = printed
			}
			for i, v := range s.Command {
				if m := printed.FindStringSubmatch(textOf(v)); m != nil {
					p.Report(p.New(argument(s, i), "this prints %s, which contains a secret", m[1]+m[2]+m[3]))
				}
			}
		}
	},
}

// printing returns a pattern for printing one of the variables; names joins them with |.
func printing(names string) *regexp.Regexp {
	name := `(` + names + `)`
	return regexp.MustCompile(`\b(?:echo|printf|print)\b[^;|&>\n]*(?:\$\{?` + name + `\b|environ[^;|&>\n]*["']` + name + `["']|getenv\(["']` + name +
		`["'])[^;|&>\n]*(?:$|[;&\n]|\|\|)`)
}
