package aws

import (
	"context"
	"errors"
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// Buckets is the part of S3 that is used. *s3.Client implements it.
type Buckets interface {
	ListObjectsV2(context.Context, *s3.ListObjectsV2Input, ...func(*s3.Options)) (*s3.ListObjectsV2Output, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
	DeleteBucket(context.Context, *s3.DeleteBucketInput, ...func(*s3.Options)) (*s3.DeleteBucketOutput, error)
}

// Repositories is the part of ECR that is used. *ecr.Client implements it.
type Repositories interface {
	DescribeRepositories(context.Context, *ecr.DescribeRepositoriesInput, ...func(*ecr.Options)) (*ecr.DescribeRepositoriesOutput, error)
	ListImages(context.Context, *ecr.ListImagesInput, ...func(*ecr.Options)) (*ecr.ListImagesOutput, error)
	DeleteRepository(context.Context, *ecr.DeleteRepositoryInput, ...func(*ecr.Options)) (*ecr.DeleteRepositoryOutput, error)
}

// Data is the content that a recipe's stack leaves behind: its bucket and its repositories.
type Data struct {
	S3     Buckets
	ECR    Repositories
	Bucket string // "": the recipe makes none
	Prefix string // of the names of repositories, which ends with /; "": the recipe makes none
}

// Left is a bucket or a repository that exists.
type Left struct {
	Kind    string `json:"kind"` // bucket or repository
	Name    string `json:"name"`
	Content bool   `json:"content"` // it isn't empty
}

// String returns the kind and the name.
func (l Left) String() string { return l.Kind + " " + l.Name }

// Look returns the bucket and the repositories that exist.
func (d *Data) Look(ctx context.Context) ([]Left, error) {
	var out []Left
	if d.Bucket != "" {
		page, err := d.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &d.Bucket, MaxKeys: sdk.Int32(1)})
		switch {
		case err == nil:
			out = append(out, Left{"bucket", d.Bucket, len(page.Contents) > 0})
		case code(err) != "NoSuchBucket":
			return nil, fmt.Errorf("the bucket %s: %w", d.Bucket, err)
		}
	}
	if d.Prefix == "" {
		return out, nil
	}
	for token := (*string)(nil); ; {
		page, err := d.ECR.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{NextToken: token})
		if err != nil {
			return nil, fmt.Errorf("the repositories of ECR: %w", err)
		}
		for _, r := range page.Repositories {
			name := sdk.ToString(r.RepositoryName)
			if len(name) <= len(d.Prefix) || name[:len(d.Prefix)] != d.Prefix {
				continue
			}
			images, err := d.ECR.ListImages(ctx, &ecr.ListImagesInput{RepositoryName: &name, MaxResults: sdk.Int32(1)})
			if err != nil {
				return nil, fmt.Errorf("the repository %s: %w", name, err)
			}
			out = append(out, Left{"repository", name, len(images.ImageIds) > 0})
		}
		if token = page.NextToken; token == nil {
			return out, nil
		}
	}
}

// Delete deletes a bucket or a repository with its content.
func (d *Data) Delete(ctx context.Context, l Left) error {
	if l.Kind == "repository" {
		_, err := d.ECR.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: &l.Name, Force: true})
		var gone *ecrtypes.RepositoryNotFoundException
		if errors.As(err, &gone) {
			return nil
		}
		return err
	}
	for {
		page, err := d.S3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &l.Name})
		if code(err) == "NoSuchBucket" {
			return nil
		}
		if err != nil {
			return err
		}
		if len(page.Contents) == 0 {
			break
		}
		var objects []s3types.ObjectIdentifier
		for _, o := range page.Contents {
			objects = append(objects, s3types.ObjectIdentifier{Key: o.Key})
		}
		out, err := d.S3.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &l.Name, Delete: &s3types.Delete{Objects: objects, Quiet: sdk.Bool(true)}})
		if err != nil {
			return err
		}
		if len(out.Errors) > 0 {
			e := out.Errors[0]
			return fmt.Errorf("%d objects of the bucket %s can't be deleted: %s: %s", len(out.Errors), l.Name, sdk.ToString(e.Key), sdk.ToString(e.Message))
		}
	}
	_, err := d.S3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &l.Name})
	return err
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}
