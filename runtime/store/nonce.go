package store

import "context"

type nonceKey struct{}

// WithNonce names the writes that are made with ctx. A store that saves the name beside the object recognizes its own
// object when an answer was lost and the write is retried.
func WithNonce(ctx context.Context, nonce string) context.Context {
	return context.WithValue(ctx, nonceKey{}, nonce)
}

// Nonce returns the name that was set by WithNonce, or "".
func Nonce(ctx context.Context) string {
	nonce, _ := ctx.Value(nonceKey{}).(string)
	return nonce
}
