package s3

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"pipec.dev/pipec/runtime/store"
)

// Remove removes the object at key, and all objects below it, up to 1,000 in a request.
func (s *Store) Remove(ctx context.Context, key string) error {
	full, err := s.key(key)
	if err != nil {
		return err
	}
	if err := s.remove(ctx, key, []types.ObjectIdentifier{{Key: full}}); err != nil {
		return err
	}
	below := aws.String(*full + "/")
	for page, err := range s.pages(ctx, key+"/", &sdk.ListObjectsV2Input{Prefix: below}) {
		if err != nil {
			return err
		}
		var objects []types.ObjectIdentifier
		for i := range page.Contents {
			objects = append(objects, types.ObjectIdentifier{Key: page.Contents[i].Key})
		}
		if len(objects) == 0 {
			continue
		}
		if err := s.remove(ctx, key, objects); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) remove(ctx context.Context, key string, objects []types.ObjectIdentifier) error {
	out, err := s.client.DeleteObjects(ctx, &sdk.DeleteObjectsInput{
		Bucket: &s.bucket, Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return s.fault(ctx, write, key, err)
	}
	for i := range out.Errors {
		e := &out.Errors[i]
		return &store.Fault{Text: fmt.Sprintf("s3://%s/%s can't be removed: %s", s.bucket, aws.ToString(e.Key), aws.ToString(e.Message))}
	}
	return nil
}
