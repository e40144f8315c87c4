package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// environ gives the test server's keys as the store's.
func environ(name string) (string, bool) {
	switch strings.TrimPrefix(name, "PIPEC_STORE_") {
	case "AWS_ACCESS_KEY_ID":
		return os.LookupEnv("PIPEC_TEST_S3_ACCESS_KEY")
	case "AWS_SECRET_ACCESS_KEY":
		return os.LookupEnv("PIPEC_TEST_S3_SECRET_KEY")
	}
	return "", false
}

func newClient() *sdk.Client {
	return sdk.New(sdk.Options{
		BaseEndpoint: aws.String(endpoint()), UsePathStyle: true, Region: os.Getenv("PIPEC_TEST_S3_REGION"),
		Credentials:                credentials.NewStaticCredentialsProvider(os.Getenv("PIPEC_TEST_S3_ACCESS_KEY"), os.Getenv("PIPEC_TEST_S3_SECRET_KEY"), ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
	})
}

// bucket is one of the measurement's own.
type bucket struct {
	name   string
	client *sdk.Client
}

func newBucket(ctx context.Context) (*bucket, error) {
	if endpoint() == "" {
		return nil, errors.New(`it takes the test cluster's S3 server: make cluster-up, then eval "$(make -s cluster-env)"`)
	}
	b := &bucket{name: fmt.Sprintf("bench-%d", time.Now().UnixNano()), client: newClient()}
	_, err := b.client.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: &b.name})
	return b, err
}

func (b *bucket) empty(ctx context.Context) error {
	pages := sdk.NewListObjectsV2Paginator(b.client, &sdk.ListObjectsV2Input{Bucket: &b.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for i := range page.Contents {
			if _, err := b.client.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: &b.name, Key: page.Contents[i].Key}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *bucket) remove(ctx context.Context) {
	err := b.empty(ctx)
	if err == nil {
		_, err = b.client.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: &b.name})
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: the bucket %s is left: %v\n", b.name, err)
	}
}
