package e2e

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/rogpeppe/go-internal/testscript"

	"pipec.dev/pipec/internal/testcluster"
)

// guarded is the bucket of the identities.
const guarded = "guarded"

// policies returns the policies of docs/security.md for the store of a namespace in the bucket: that of the steps, and that of the
// coordinator.
func policies(namespace string) (steps, coordinator string, err error) {
	page, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		return "", "", err
	}
	found := regexp.MustCompile("(?s)The policy of the (steps|coordinator).*?```json\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(found) != 2 || found[0][1] != "steps" {
		return "", "", errors.New("docs/security.md doesn't contain the policies of the steps and of the coordinator")
	}
	own := strings.NewReplacer("ml-artifacts/pipec", guarded+"/"+namespace, "ml-artifacts", guarded, "/ml/", "/"+namespace+"/")
	return own.Replace(found[0][2]), own.Replace(found[1][2]), nil
}

// guard starts an S3 server that enforces the policies of docs/security.md, and adds its URL, its bucket and the keys to the environment
// of the script: guard.
func guard(t *testing.T, c testcluster.Cluster, ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: guard")
	}
	g, steps, coordinator := identities(t, c, ts.Getenv("NAMESPACE"))
	for name, value := range map[string]string{
		"GUARDED_S3": g.URL, "GUARDED_BUCKET": guarded, "STEPS_KEY": steps.AccessKey, "STEPS_SECRET": steps.SecretKey,
		"COORDINATOR_KEY": coordinator.AccessKey, "COORDINATOR_SECRET": coordinator.SecretKey,
	} {
		ts.Setenv(name, value)
	}
}

// identities starts a server with the identities of a namespace.
func identities(t *testing.T, c testcluster.Cluster, namespace string) (g *testcluster.Gateway, steps, coordinator testcluster.Identity) {
	t.Helper()
	forSteps, forCoordinator, err := policies(namespace)
	if err != nil {
		t.Fatal(err)
	}
	g = c.NewGuardedGateway(t)
	c.S3 = g.URL
	if err := c.MakeBucket(context.Background(), guarded); err != nil {
		t.Fatal(err)
	}
	return g, g.Identity(context.Background(), "steps", forSteps), g.Identity(context.Background(), "coordinator", forCoordinator)
}

// TestPolicies sends single requests as the steps and as the coordinator of the namespace "ns" to a server that enforces the
// policies of docs/security.md.
func TestPolicies(t *testing.T) {
	t.Parallel()
	c := testcluster.Env(t)
	g, steps, coordinator := identities(t, c, "ns")
	root := client(c, g, testcluster.Identity{AccessKey: c.S3AccessKey, SecretKey: c.S3SecretKey})
	for _, key := range []string{
		"blobs/sha256/aa", "programs/sha256/aa", "attempts/ns/p/r/s/1/result.json", "attempts/other/p/r/s/1/result.json", "runs/ns/p/r/run.json",
		"runs/other/p/r/run.json", "cache/ns/sha256/aa", "cache/other/sha256/aa", "index/ns/p/1", "index/other/p/1",
	} {
		if err := put(t.Context(), root, key); err != nil {
			t.Fatal(err)
		}
	}
	for _, who := range []struct {
		name     string
		identity testcluster.Identity
		reads    []string // what it may read and write
	}{
		{"steps", steps, []string{"blobs/sha256/", "attempts/ns/p/r/s/1/"}},
		{"coordinator", coordinator, []string{"blobs/sha256/", "programs/sha256/", "attempts/ns/p/r/s/1/", "runs/ns/p/r/", "cache/ns/sha256/", "index/ns/p/"}},
	} {
		s := client(c, g, who.identity)
		for _, dir := range []string{
			"blobs/sha256/", "programs/sha256/", "attempts/ns/p/r/s/1/", "attempts/other/p/r/s/1/", "runs/ns/p/r/", "runs/other/p/r/", "cache/ns/sha256/",
			"cache/other/sha256/", "index/ns/p/", "index/other/p/", "elsewhere/",
		} {
			may := slices.Contains(who.reads, dir)
			for what, c := range map[string]struct {
				err  error
				want int
			}{
				"write":             {put(t.Context(), s, dir+"new-of-"+who.name), allowed(may, 0)},
				"write in parts":    {parts(t.Context(), s, dir+"parts-of-"+who.name), allowed(may, 0)},
				"read what is not":  {get(t.Context(), s, dir+"missing"), allowed(may, http.StatusNotFound)},
				"delete":            {remove(t.Context(), s, dir+"new-of-"+who.name), http.StatusForbidden},
				"delete of another": {remove(t.Context(), s, dir+"aa"), http.StatusForbidden},
			} {
				if got := statusOf(c.err); got != c.want {
					t.Errorf("%s: %s in %s: status %d, want %d: %v", who.name, what, dir, got, c.want, c.err)
				}
			}
		}
		for key, may := range map[string]bool{
			"blobs/sha256/aa": true, "attempts/ns/p/r/s/1/result.json": true, "attempts/other/p/r/s/1/result.json": false, "runs/other/p/r/run.json": false,
			"runs/ns/p/r/run.json": who.name == "coordinator", "programs/sha256/aa": who.name == "coordinator", "cache/ns/sha256/aa": who.name == "coordinator",
		} {
			if got := statusOf(get(t.Context(), s, key)); got != allowed(may, 0) {
				t.Errorf("%s: reading %s: status %d", who.name, key, got)
			}
		}
		if _, err := s.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(guarded)}); err != nil {
			t.Errorf("%s: %v", who.name, err)
		}
		_, err := s.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: aws.String(guarded), Policy: aws.String("{}")})
		if statusOf(err) != http.StatusForbidden {
			t.Errorf("%s: changing the policy of the bucket: %v", who.name, err)
		}
	}
}

func allowed(may bool, status int) int {
	if may {
		return status
	}
	return http.StatusForbidden
}

// client returns a client that sends each request once.
func client(c testcluster.Cluster, g *testcluster.Gateway, i testcluster.Identity) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &g.URL, Region: c.S3Region, UsePathStyle: true, Retryer: aws.NopRetryer{},
		Credentials:                credentials.NewStaticCredentialsProvider(i.AccessKey, i.SecretKey, ""),
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
	})
}

// statusOf returns the status of the answer; 0: the request succeeded.
func statusOf(err error) int {
	var answer *awshttp.ResponseError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &answer):
		return answer.HTTPStatusCode()
	}
	return -1
}

func object(key string) *string { return aws.String("ns/" + key) }

func put(ctx context.Context, s *s3.Client, key string) error {
	_, err := s.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(guarded), Key: object(key), Body: bytes.NewReader([]byte("x")), IfNoneMatch: aws.String("*")})
	return err
}

func get(ctx context.Context, s *s3.Client, key string) error {
	out, err := s.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String(guarded), Key: object(key)})
	if err == nil {
		_ = out.Body.Close()
	}
	return err
}

func remove(ctx context.Context, s *s3.Client, key string) error {
	_, err := s.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String(guarded), Key: object(key)})
	return err
}

// parts begins an upload in parts, and takes it back.
func parts(ctx context.Context, s *s3.Client, key string) error {
	up, err := s.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: aws.String(guarded), Key: object(key)})
	if err != nil {
		return err
	}
	one := int32(1)
	if _, err := s.UploadPart(ctx, &s3.UploadPartInput{Bucket: aws.String(guarded), Key: object(key), UploadId: up.UploadId, PartNumber: &one, Body: bytes.NewReader([]byte("x"))}); err != nil {
		return err
	}
	_, err = s.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: aws.String(guarded), Key: object(key), UploadId: up.UploadId})
	return err
}
