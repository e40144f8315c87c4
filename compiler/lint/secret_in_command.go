package lint

import (
	"regexp"
	"strings"
)

var secretInCommand = &Rule{
	Code: "secret-in-command", Level: Warning,
	Summary: "A command prints a variable that holds a secret.",
	Doc: "What a step prints is kept in its log. pipec takes the values of `secret_env` out of that, but not what was made of them, such as their base64, " +
		"nor what another program logs. Text that goes on into a pipe or a file is not told.",
	Check: func(p *Pass) {
		for _, s := range p.Steps {
			if len(s.Program.SecretEnv) == 0 {
				continue
			}
			var names []string
			for _, secret := range s.Program.SecretEnv {
				names = append(names, secret.Name)
			}
			name := `(` + strings.Join(names, "|") + `)`
			printed := regexp.MustCompile(`\b(?:echo|printf|print)\b[^;|&>\n]*(?:\$\{?` + name + `\b|environ[^;|&>\n]*["']` + name + `["']|getenv\(["']` + name +
				`["'])[^;|&>\n]*(?:$|[;&\n]|\|\|)`)
			for i, v := range s.Command {
				if m := printed.FindStringSubmatch(textOf(v)); m != nil {
					p.Tell(p.New(argument(p.Project, s, i), "this prints %s, which holds a secret", m[1]+m[2]+m[3]))
				}
			}
		}
	},
}
