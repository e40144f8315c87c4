package aws

import (
	"context"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Clients are the clients of the services in a region.
type Clients struct {
	API
	S3  Buckets
	ECR Repositories
	Tagged
}

// Tagged finds resources by their tags. *resourcegroupstaggingapi.Client implements it.
type Tagged interface {
	GetResources(context.Context, *tagging.GetResourcesInput, ...func(*tagging.Options)) (*tagging.GetResourcesOutput, error)
}

// WithTags returns the ARNs of the resources in the region that have all these tags, sorted. AWS lists resources that were deleted
// for a while. CloudFormation stacks are not among them.
func WithTags(ctx context.Context, api Tagged, tags map[string]string) ([]string, error) {
	in := &tagging.GetResourcesInput{}
	for key, value := range tags {
		in.TagFilters = append(in.TagFilters, types.TagFilter{Key: &key, Values: []string{value}})
	}
	var out []string
	for {
		page, err := api.GetResources(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, r := range page.ResourceTagMappingList {
			if arn := sdk.ToString(r.ResourceARN); !strings.Contains(arn, ":cloudformation:") {
				out = append(out, arn)
			}
		}
		if in.PaginationToken = page.PaginationToken; sdk.ToString(in.PaginationToken) == "" {
			slices.Sort(out)
			return out, nil
		}
	}
}

// Open returns clients with the credentials of the SDK's default chain. It makes no request.
func Open(ctx context.Context, region string) (*Clients, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return nil, &Error{Text: "the settings of AWS can't be read: " + oneLine(err.Error()), Err: err}
	}
	return &Clients{cfn.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = o.BaseEndpoint != nil }), ecr.NewFromConfig(cfg), tagging.NewFromConfig(cfg)}, nil
}
