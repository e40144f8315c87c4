package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// NewRepository is how a repository is created in ECR. Its images are scanned when they are pushed.
type NewRepository struct {
	Tags      map[string]string
	Lifecycle string // the rules by which ECR removes images, as JSON; "": none
}

// ecr creates a repository. One that exists by now is used as it is.
func (n *NewRepository) ecr(ctx context.Context, repository name.Repository) error {
	ctx, cancel := context.WithTimeout(ctx, ecrTimeout)
	defer cancel()
	client, err := ecrClient(ctx, repository.RegistryStr())
	if err != nil {
		return err
	}
	path := repository.RepositoryStr()
	in := &ecr.CreateRepositoryInput{RepositoryName: &path, ImageScanningConfiguration: &types.ImageScanningConfiguration{ScanOnPush: true}}
	for key, value := range n.Tags {
		in.Tags = append(in.Tags, types.Tag{Key: &key, Value: &value})
	}
	_, err = client.CreateRepository(ctx, in)
	var exists *types.RepositoryAlreadyExistsException
	if errors.As(err, &exists) {
		return nil
	}
	if err != nil || n.Lifecycle == "" {
		return err
	}
	_, err = client.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{RepositoryName: &path, LifecyclePolicyText: &n.Lifecycle})
	return err
}

// Prepare creates the repository of a reference if it is missing in ECR and the client may, for a push by another program.
func (c *Client) Prepare(ctx context.Context, ref string) error {
	parsed, err := Parse(ref)
	if err != nil {
		return err
	}
	if c.create == nil || !isECR(parsed.Context().RegistryStr()) {
		return nil
	}
	_, err = c.puller.Get(ctx, parsed)
	var answer *transport.Error
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusNotFound || !has(answer, transport.NameUnknownErrorCode) {
		return nil // the push finds out what else is wrong
	}
	if err := c.create.ecr(ctx, parsed.Context()); err != nil {
		return notCreated(ref, parsed, err)
	}
	return nil
}

// noRepository reports whether a push failed because the repository doesn't exist.
func noRepository(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound && (has(answer, transport.NameUnknownErrorCode) || verb(answer) == "write")
}

// notCreated explains why a missing repository can't be created.
func notCreated(ref string, parsed name.Reference, err error) error {
	return &Fault{
		Reason: NoRepository, Ref: ref, Err: err, Text: fmt.Sprintf("there is no repository %s, and it can't be created: %v", parsed.Context().Name(), err),
		Hint: "the permissions ecr:CreateRepository, ecr:TagResource and ecr:PutLifecyclePolicy are required, or create = false in container_registry and a repository that exists",
	}
}
