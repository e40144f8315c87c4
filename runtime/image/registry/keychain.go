package registry

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
)

// DefaultKeychain finds who one is at a registry: for ECR by the AWS SDK's own chain; for all, and for ECR where that gives
// nothing, in docker's and podman's files and by their helpers.
func DefaultKeychain() authn.Keychain { return &keychain{ecr: newECR(), docker: authn.DefaultKeychain} }

// credentialsError says that looking for credentials failed, which is not the same as finding none.
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

// Resolve is ResolveContext without an end.
func (k *keychain) Resolve(r authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), r)
}

// ResolveContext finds the credentials for a registry; authn.Anonymous is none.
func (k *keychain) ResolveContext(ctx context.Context, r authn.Resource) (authn.Authenticator, error) {
	var ecrErr error
	if isECR(r.RegistryStr()) {
		var found authn.Authenticator
		if found, ecrErr = k.ecr.token(ctx, r.RegistryStr()); ecrErr == nil {
			return found, nil
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
