package s3

import (
	"context"
	"iter"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
)

// Objects yields all objects beneath a prefix, in byte order, whatever their names. List leaves out names that are not valid
// keys of a store.
func (s *Store) Objects(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for page, err := range s.pages(ctx, prefix, &sdk.ListObjectsV2Input{Prefix: aws.String(s.prefix + prefix)}) {
			if err != nil {
				yield("", err)
				return
			}
			for i := range page.Contents {
				if !yield(strings.TrimPrefix(aws.ToString(page.Contents[i].Key), s.prefix), nil) {
					return
				}
			}
		}
	}
}
