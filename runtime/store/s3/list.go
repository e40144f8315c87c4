package s3

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"pipec.dev/pipec/runtime/store"
)

// List yields the keys page by page: the next page is requested when the last one was used up. Objects of others beneath
// the prefix whose names are not valid keys are left out.
func (s *Store) List(ctx context.Context, prefix, after string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		in := &sdk.ListObjectsV2Input{Prefix: aws.String(s.prefix + prefix)}
		if after != "" {
			in.StartAfter = aws.String(s.prefix + after)
		}
		for page, err := range s.pages(ctx, prefix, in) {
			if err != nil {
				yield("", err)
				return
			}
			for i := range page.Contents {
				key, ok := strings.CutPrefix(aws.ToString(page.Contents[i].Key), s.prefix)
				if !ok || key <= after || store.CheckKey(key) != nil {
					continue
				}
				if !yield(key, nil) {
					return
				}
			}
		}
	}
}

// Folders returns the parts of keys between prefix and the next slash, each once, in byte order.
func (s *Store) Folders(ctx context.Context, prefix string) ([]string, error) {
	in := &sdk.ListObjectsV2Input{Prefix: aws.String(s.prefix + prefix), Delimiter: aws.String("/")}
	var out []string
	for page, err := range s.pages(ctx, prefix, in) {
		if err != nil {
			return nil, err
		}
		for i := range page.CommonPrefixes {
			name, ok := strings.CutPrefix(aws.ToString(page.CommonPrefixes[i].Prefix), s.prefix+prefix)
			if name = strings.TrimSuffix(name, "/"); ok && store.CheckKey(name) == nil {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out) // the server has them with their slashes
	return out, nil
}

func (s *Store) pages(ctx context.Context, prefix string, in *sdk.ListObjectsV2Input) iter.Seq2[*sdk.ListObjectsV2Output, error] {
	return func(yield func(*sdk.ListObjectsV2Output, error) bool) {
		in.Bucket = &s.bucket
		for {
			page, err := s.client.ListObjectsV2(ctx, in)
			if err == nil {
				err = ordered(page.Contents)
			}
			if err != nil {
				yield(nil, s.fault(ctx, list, prefix, err))
				return
			}
			if !yield(page, nil) || !aws.ToBool(page.IsTruncated) || aws.ToString(page.NextContinuationToken) == "" {
				return
			}
			in.ContinuationToken = page.NextContinuationToken
		}
	}
}

// ordered rejects a server whose lists are not in byte order (such as S3's directory buckets): runs would be left out.
func ordered(objects []types.Object) error {
	for i := 1; i < len(objects); i++ {
		if aws.ToString(objects[i-1].Key) > aws.ToString(objects[i].Key) {
			return errOrder
		}
	}
	return nil
}
