package store

import "context"

type nonceKey struct{}

// WithNonce names what is written under ctx: a store that keeps the name beside the object knows its own object when an
// answer was lost and the same is written again.
func WithNonce(ctx context.Context, nonce string) context.Context {
	return context.WithValue(ctx, nonceKey{}, nonce)
}

// Nonce is the name given by WithNonce, or "".
func Nonce(ctx context.Context) string {
	nonce, _ := ctx.Value(nonceKey{}).(string)
	return nonce
}
