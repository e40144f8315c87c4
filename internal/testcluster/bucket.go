package testcluster

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// MakeBucket creates a bucket on the S3 server if it doesn't exist.
func (c Cluster) MakeBucket(ctx context.Context, name string) error {
	client := s3.New(s3.Options{
		BaseEndpoint: &c.S3, Region: c.S3Region, UsePathStyle: true,
		Credentials:                credentials.NewStaticCredentialsProvider(c.S3AccessKey, c.S3SecretKey, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
	_, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
	var mine *types.BucketAlreadyOwnedByYou
	var there *types.BucketAlreadyExists
	if errors.As(err, &mine) || errors.As(err, &there) {
		return nil
	}
	return err
}
