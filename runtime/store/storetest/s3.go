package storetest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"pipec.dev/pipec/schema/program"
)

// A Bucket is an empty one on the S3 server of the test cluster.
type Bucket struct {
	Name      string
	Endpoint  string
	Region    string
	AccessKey string
	SecretKey string
	Client    *sdk.Client // the SDK's, with all rights
}

// NewBucket makes a bucket, and removes it with all that is in it when the test has ended. Without the test cluster the
// test is skipped; with CI=true it fails.
func NewBucket(t testing.TB) *Bucket {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes an S3 server, which the short tests do without")
	}
	b := &Bucket{
		Endpoint: os.Getenv("PIPEC_TEST_S3"), Region: os.Getenv("PIPEC_TEST_S3_REGION"),
		AccessKey: os.Getenv("PIPEC_TEST_S3_ACCESS_KEY"), SecretKey: os.Getenv("PIPEC_TEST_S3_SECRET_KEY"),
	}
	if b.Endpoint == "" {
		const why = `it takes the test cluster's S3 server: make cluster-up, then eval "$(make -s cluster-env)"`
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	var id [6]byte
	_, _ = rand.Read(id[:]) // never fails
	b.Name = "test-" + hex.EncodeToString(id[:])
	b.Client = sdk.New(sdk.Options{
		BaseEndpoint: &b.Endpoint, UsePathStyle: true, Region: b.Region,
		Credentials:                credentials.NewStaticCredentialsProvider(b.AccessKey, b.SecretKey, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
	ctx := context.Background()
	if _, err := b.Client.CreateBucket(ctx, &sdk.CreateBucketInput{Bucket: &b.Name}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.remove(t) })
	return b
}

func (b *Bucket) remove(t testing.TB) {
	ctx := context.Background()
	for _, id := range b.Uploads(t) {
		_, _ = b.Client.AbortMultipartUpload(ctx, &sdk.AbortMultipartUploadInput{Bucket: &b.Name, Key: &id.Key, UploadId: &id.ID})
	}
	pages := sdk.NewListObjectsV2Paginator(b.Client, &sdk.ListObjectsV2Input{Bucket: &b.Name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			t.Error(err)
			return
		}
		for i := range page.Contents {
			if _, err := b.Client.DeleteObject(ctx, &sdk.DeleteObjectInput{Bucket: &b.Name, Key: page.Contents[i].Key}); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := b.Client.DeleteBucket(ctx, &sdk.DeleteBucketInput{Bucket: &b.Name}); err != nil {
		t.Error(err)
	}
}

// An Upload is one that was begun and is neither complete nor taken back.
type Upload struct{ Key, ID string }

// Uploads are those of the bucket.
func (b *Bucket) Uploads(t testing.TB) []Upload {
	t.Helper()
	out, err := b.Client.ListMultipartUploads(context.Background(), &sdk.ListMultipartUploadsInput{Bucket: &b.Name})
	if err != nil {
		t.Fatal(err)
	}
	var found []Upload
	for i := range out.Uploads {
		found = append(found, Upload{aws.ToString(out.Uploads[i].Key), aws.ToString(out.Uploads[i].UploadId)})
	}
	return found
}

// Store is the place of a store beneath a prefix of the bucket.
func (b *Bucket) Store(prefix string) program.Store {
	return program.Store{Kind: "s3", Path: "s3://" + b.Name + "/" + prefix, Endpoint: b.Endpoint, PathStyle: true, Region: b.Region}
}

// Environ has the bucket's credentials alone, as a pod has them.
func (b *Bucket) Environ(name string) (string, bool) {
	switch name {
	case "PIPEC_STORE_AWS_ACCESS_KEY_ID":
		return b.AccessKey, true
	case "PIPEC_STORE_AWS_SECRET_ACCESS_KEY":
		return b.SecretKey, true
	}
	return "", false
}
