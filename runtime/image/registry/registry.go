// Package registry asks image registries: what a reference stands for, whether a digest is there, and it pushes an image.
// It speaks the distribution protocol by go-containerregistry, finds credentials where docker, podman and the AWS SDK
// keep them, gives up on what hangs, and says what is wrong in a person's words (Fault).
//
// It knows nothing of projects, stacks or locks.
package registry

import (
	"context"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Options say how registries are asked. The zero value is what a person wants.
type Options struct {
	Keychain  authn.Keychain    // nil: DefaultKeychain()
	Transport http.RoundTripper // nil: TLS and proxies by the ordinary rules
	// Silence is how long a registry may say nothing while it is waited for; 0: 30 s.
	Silence time.Duration
	// Backoff is between the tries of what may pass: a cut connection, 429, 5xx. nil: 1 s and 3 s.
	Backoff *remote.Backoff
	Agent   string // the User-Agent, as pipec/v1.2.3
}

// Client asks registries. It is safe for concurrent use, and takes credentials once for each repository.
type Client struct {
	options []remote.Option
	puller  *remote.Puller
}

// New makes a client. It asks nobody yet.
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
	c := &Client{options: []remote.Option{
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

// Parse reads a reference as docker does: without a host it is of docker.io, without a tag it is :latest.
func Parse(ref string) (name.Reference, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return nil, badReference(ref, err)
	}
	return parsed, nil
}

// Digest asks what digest a reference stands for now. What is wrong is a *Fault; ctx's end is the context's error.
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
		// An answer to HEAD has no body, and some registries leave the digest out: GET says more.
		got, err := c.puller.Get(ctx, parsed)
		if err == nil {
			return got.Digest.String(), nil
		}
		return "", explain(ctx, ref, parsed, err)
	}
	return "", explain(ctx, ref, parsed, err)
}

// Has says whether the repository of ref has the digest.
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
