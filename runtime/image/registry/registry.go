// Package registry is a client for image registries: it finds the digest of a reference, checks whether a digest
// exists, and pushes images. It uses the distribution protocol through go-containerregistry, finds credentials where
// docker, podman and the AWS SDK store them, limits how long it waits, and explains errors (Fault).
//
// It does not depend on projects, stacks or locks.
package registry

import (
	"context"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Options configure a client. The zero value is suitable for users' machines.
type Options struct {
	Keychain  authn.Keychain    // nil: DefaultKeychain()
	Transport http.RoundTripper // nil: TLS and proxies by the usual rules
	// Silence is how long to wait for data from a registry; 0: 30 s.
	Silence time.Duration
	// Backoff are the pauses before retries of temporary errors: an interrupted connection, 429, 5xx. nil: 1 s and 3 s.
	Backoff *remote.Backoff
	Agent   string // the User-Agent, for example pipec/v1.2.3
	// Create is how Push creates missing repositories in ECR. nil: it doesn't create them.
	Create *NewRepository
}

// Client is a client of registries. It is safe for concurrent use, and gets credentials once per repository.
type Client struct {
	options []remote.Option
	puller  *remote.Puller
	create  *NewRepository
	keys    authn.Keychain
}

// New returns a client. It makes no requests.
func New(o Options) (*Client, error) {
	if o.Keychain == nil {
		o.Keychain = DefaultKeychain()
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	if o.Silence == 0 {
		o.Silence = 30 * time.Second
	}
	c := &Client{create: o.Create, keys: o.Keychain, options: []remote.Option{
		remote.WithAuthFromKeychain(o.Keychain),
		remote.WithTransport(&watchdog{next: o.Transport, silence: o.Silence}),
		remote.WithUserAgent(o.Agent),
	}}
	if o.Backoff != nil {
		c.options = append(c.options, remote.WithRetryBackoff(*o.Backoff))
	}
	var err error
	c.puller, err = remote.NewPuller(c.options...)
	return c, err
}

// Parse parses a reference as docker does: the default host is docker.io, the default tag is latest.
func Parse(ref string) (name.Reference, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return nil, badReference(ref, err)
	}
	return parsed, nil
}

// Digest returns the digest that a reference refers to now. Errors are *Fault, or the context's error if ctx ends.
func (c *Client) Digest(ctx context.Context, ref string) (string, error) {
	parsed, err := Parse(ref)
	if err != nil {
		return "", err
	}
	head, err := c.puller.Head(ctx, parsed)
	if err == nil {
		return head.Digest.String(), nil
	}
	if answered(err) && ctx.Err() == nil {
		// A response to HEAD has no body, and some registries leave out the digest. GET returns more information.
		got, err := c.puller.Get(ctx, parsed)
		if err == nil {
			return got.Digest.String(), nil
		}
		return "", explain(ctx, ref, parsed, err)
	}
	return "", explain(ctx, ref, parsed, err)
}

// Has reports whether the repository of ref has the digest.
func (c *Client) Has(ctx context.Context, ref, digest string) (bool, error) {
	parsed, err := Parse(ref)
	if err != nil {
		return false, err
	}
	_, err = c.puller.Head(ctx, parsed.Context().Digest(digest))
	if err == nil {
		return true, nil
	}
	if status(err) == http.StatusNotFound {
		return false, nil
	}
	return false, explain(ctx, ref, parsed, err)
}
