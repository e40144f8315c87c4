package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/runtime/store/s3"
	"pipec.dev/pipec/schema/program"
	"pipec.dev/pipec/schema/record"
)

// child moves the file, or what was put before, and prints how long that took.
func child(ctx context.Context, do string, args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("%q is not BUCKET PREFIX FILE", args)
	}
	bucket, prefix, file := args[0], args[1], args[2]
	got := filepath.Join(filepath.Dir(file), "got")
	defer os.Remove(got)
	act := map[string]func() error{}
	client := newClient()
	tm := transfermanager.New(client, func(o *transfermanager.Options) {
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired // as servers that are not AWS need it
	})
	sdkKey := prefix + "/sdk"
	act["sdk-put"] = func() error {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = tm.UploadObject(ctx, &transfermanager.UploadObjectInput{Bucket: &bucket, Key: &sdkKey, Body: f})
		return err
	}
	act["sdk-get"] = func() error {
		f, err := os.Create(got)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = tm.DownloadObject(ctx, &transfermanager.DownloadObjectInput{Bucket: &bucket, Key: &sdkKey, WriterAt: f})
		return err
	}
	s, err := s3.Open(ctx, program.Store{
		Kind: "s3", Path: "s3://" + bucket + "/" + prefix, Endpoint: os.Getenv("PIPEC_TEST_S3"), PathStyle: true,
	}, s3.Options{Environ: environ})
	if err != nil {
		return err
	}
	defer s.Close()
	// What was put is found again by a record of it.
	const noted = "artifact.json"
	act["put"] = func() error {
		a, err := store.Save(ctx, s, file, false)
		if err != nil {
			return err
		}
		return store.WriteJSON(ctx, s, noted, a, store.Replace)
	}
	act["get"] = func() error {
		a, err := store.ReadJSON[record.Artifact](ctx, s, noted)
		if err != nil {
			return err
		}
		return store.Fetch(ctx, s, a, got)
	}
	f, ok := act[do]
	if !ok {
		return fmt.Errorf("there is no %q to measure", do)
	}
	began := time.Now()
	if err := f(); err != nil {
		return err
	}
	fmt.Print(time.Since(began))
	return nil
}
