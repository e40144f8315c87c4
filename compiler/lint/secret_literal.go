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
	Doc: "Whoever reads the repository, the program on the cluster or the pod's description has it. Take it from a Secret: " +
		"`secret_env \"NAME\" { … }` gives a variable of the environment, and locally from a file that isn't committed. A secret that was " +
		"committed is known, and has to be replaced.\n\nFormats of well-known keys are told wherever they stand; other texts where a name, such as " +
		"`DB_PASSWORD` or `--api-token`, says what they are and they look the part. What is found is never shown, in no format.",
	Check: func(p *Pass) {
		for _, b := range p.Blocks {
			secretsIn(p, b)
		}
	},
}

func secretsIn(p *Pass, b *decode.Block) {
	if b.Def.Name == "secret_env" { // it names a Secret, and holds none
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

// secretIn looks at a value that has a name, as a variable or a key has.
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
				p.Tell(p.New(at, "%s is written out here", what).
					WithDetail("What is committed stays in the history: replace it.").
					WithSuggestion(`take it from a Secret: secret_env "NAME" with secret and key`))
			}
		})
	}
}

// flagName is the name of a command's argument that is followed by its value: api-token of --api-token.
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
