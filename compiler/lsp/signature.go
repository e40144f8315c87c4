package lsp

import (
	"context"

	"pipec.dev/pipec/compiler/evaluate"
)

// signatureHelp shows the signature of the call that a position is in.
func (s *server) signatureHelp(p positionParams) (answer, error) {
	return s.in(p.TextDocument, func(_ context.Context, v *view) (any, error) {
		name, argument := v.CallAround(v.text.offset(p.Position))
		f, ok := evaluate.Functions(v.dir)[name]
		if !ok {
			return nil, nil
		}
		sig := signature{Label: evaluate.Signature(name, f), Documentation: markdown(evaluate.FunctionDoc(name, f)), Parameters: []parameter{}}
		for _, label := range evaluate.Parameters(f) {
			sig.Parameters = append(sig.Parameters, parameter{label})
		}
		if f.VarParam() != nil { // the last one takes all that follow
			argument = min(argument, len(sig.Parameters)-1)
		}
		return signatureHelp{Signatures: []signature{sig}, ActiveParameter: argument}, nil
	})
}
