package registry

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
)

// DefaultKeychain finds the user's credentials for a registry. For ECR it uses the AWS SDK's default chain. For other
// registries, and if that finds none, it uses docker's and podman's files and their credential helpers.
func DefaultKeychain() authn.Keychain { return &keychain{ecr: newECR(), docker: authn.DefaultKeychain} }

// credentialsError reports that the search for credentials failed, which differs from finding none.
type credentialsError struct {
	err  error
	hint string
}

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

type keychain struct {
	ecr    *ecrTokens
	docker authn.Keychain
}

// Resolve calls ResolveContext without a deadline.
func (k *keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), r)
}

// ResolveContext returns the credentials for a registry, or authn.Anonymous.
func (k *keychain) ResolveContext(ctx context.Context, r authn.Resource) (authn.Authenticator, error) {
	var ecrErr error
	if isECR(r.RegistryStr()) {
		if _, ecrErr = k.ecr.token(ctx, r.RegistryStr()); ecrErr == nil {
			return &ecrAuth{k.ecr, r.RegistryStr()}, nil
		}
	}
	found, err := authn.Resolve(ctx, k.docker, r)
	switch {
	case err != nil:
		return nil, &credentialsError{fmt.Errorf("docker's configuration: %w", err), "docker login shows whether it works"}
	case found == authn.Anonymous && ecrErr != nil:
		return nil, &credentialsError{ecrErr, "aws sts get-caller-identity shows whether they work"}
	}
	return found, nil
}

// renew makes the client log in again to a registry that no longer accepts its token. It reports false if it has no other.
func (c *Client) renew(host string, err error) bool {
	k, ok := c.keys.(*keychain)
	expired := status(err) == http.StatusUnauthorized || status(err) == http.StatusForbidden && strings.Contains(err.Error(), "authorization token has expired")
	if !ok || !isECR(host) || !expired {
		return false
	}
	k.ecr.forget(host)
	return true
}

// Credentials returns the user name and the password for the registry of a reference, for another program. It reports false if there
// are none, or only a token.
func (c *Client) Credentials(ctx context.Context, ref string) (user, password string, ok bool, err error) {
	parsed, err := Parse(ref)
	if err != nil {
		return "", "", false, err
	}
	found, err := authn.Resolve(ctx, c.keys, parsed.Context())
	if err != nil {
		return "", "", false, explain(ctx, ref, parsed, err)
	}
	config, err := authn.Authorization(ctx, found)
	if err != nil {
		return "", "", false, explain(ctx, ref, parsed, err)
	}
	return config.Username, config.Password, config.Username != "" && config.Password != "", nil
}
