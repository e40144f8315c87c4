package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/config"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Clients are the clients of the services in a region.
type Clients struct {
	API
	S3  Buckets
	ECR Repositories
}

// Open returns clients with the credentials of the SDK's default chain. It makes no request.
func Open(ctx context.Context, region string) (*Clients, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return nil, &Error{Text: "the settings of AWS can't be read: " + oneLine(err.Error()), Err: err}
	}
	return &Clients{cfn.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }), ecr.NewFromConfig(cfg)}, nil
}
