package lint

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"pipec.dev/pipec/compiler/decode"
	"pipec.dev/pipec/compiler/evaluate"
)

var secretLiteral = &Rule{
	Code: "secret-literal", Level: Error,
	Summary: "A text looks like a secret that is written out.",
	Doc: "Everybody who can read the repository, the program on the cluster or the pod's description can read it. Take it from a Secret: " +
		"`secret_env \"NAME\" { … }` sets an environment variable, and locally reads it from a file that isn't committed. A secret that was " +
		"committed is no longer secret, and has to be replaced.\n\nWell-known formats of keys are reported everywhere. Other texts are reported if a name, such as " +
		"`DB_PASSWORD` or `--api-token`, marks them as a secret and they look like one. The secret itself is never shown, in any format.",
	Check: func(p *Pass) {
		for _, b := range p.Blocks {
			secretsIn(p, b)
		}
	},
}

func secretsIn(p *Pass, b *decode.Block) {
	if b.Def.Name == "secret_env" { // the block names a Secret and doesn't contain it
		return
	}
	for _, a := range b.Sorted() {
		name := ""
		switch {
		case a.Name == "description" || a.Name == "error_message":
			continue
		case b.Def.Free:
			name = a.Name
		case a.Name == "default" || a.Name == "value":
			name = b.Label
		}
		secretIn(p, name, a.Expr)
	}
	for _, n := range b.Blocks {
		secretsIn(p, n)
	}
}

// secretIn checks a value that has a name, as the value of a variable or a key.
func secretIn(p *Pass, name string, e hcl.Expression) {
	switch e := e.(type) {
	case *hclsyntax.ObjectConsExpr:
		if key := evaluate.Item(e, "name"); key != nil { // { name = "PASSWORD", value = "…" } of a container
			if v, ok := constant(key); ok && !v.IsNull() && v.Type().FriendlyName() == "string" && evaluate.Item(e, "value") != nil {
				secretIn(p, v.AsString(), evaluate.Item(e, "value"))
			}
		}
		for _, item := range e.Items {
			secretIn(p, evaluate.KeyName(item.KeyExpr), item.ValueExpr)
		}
	case *hclsyntax.TupleConsExpr:
		flag := ""
		for _, x := range e.Exprs {
			secretIn(p, flag, x)
			flag = flagName(x)
		}
	default:
		literals(e, func(at hcl.Range, text string) {
			if what := secret(name, text); what != "" {
				p.report.Secrets = append(p.report.Secrets, at)
				p.Report(p.New(at, "%s is written out here", what).
					WithDetail("What was committed stays in the history: replace the secret.").
					WithSuggestion(`take it from a Secret: secret_env "NAME" with secret and key`))
			}
		})
	}
}

// flagName returns the name of a command's argument that precedes a value: api-token of --api-token.
func flagName(e hclsyntax.Expression) string {
	v, ok := constant(e)
	if !ok || v.IsNull() || v.Type().FriendlyName() != "string" {
		return ""
	}
	if text := v.AsString(); strings.HasPrefix(text, "-") && !strings.Contains(text, "=") {
		return strings.TrimLeft(text, "-")
	}
	return ""
}
