package connect

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/oauth2"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/transport"
)

const (
	// clusterHeader binds a token to one cluster.
	clusterHeader = "x-k8s-aws-id"
	tokenPrefix   = "k8s-aws-v1."
	// tokenLife is less than the 15 minutes for which EKS accepts a presigned request.
	tokenLife = 14 * time.Minute
	// emptySHA256 is the digest of an empty body, which the signature requires.
	emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// eks connects to an EKS cluster by its name or ARN. It finds the endpoint with DescribeCluster. Tokens are presigned
// requests to STS, as `aws eks get-token` makes them. Credentials and region come from the SDK's default chain.
//
// eks signs its only request to EKS itself: the SDK's package for that service would add a millisecond to the start of
// every command.
func (c *Connection) eks(ctx context.Context, name string, environ []string) error {
	cfg, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return &Error{Reason: NoPlugin, Text: "eks_cluster " + quote(name) + ": " + oneLine(err.Error()), Err: err}
	}
	account := "" // "": any
	if a, err := arn.Parse(name); err == nil && a.Service == "eks" {
		cfg.Region, account, name = a.Region, a.AccountID, strings.TrimPrefix(a.Resource, "cluster/")
	}
	if cfg.Region == "" {
		return &Error{Reason: NoConfig, Text: "eks_cluster " + quote(name) + ": no AWS region is set", Hint: "Set AWS_REGION, or use the cluster's ARN, which contains the region."}
	}
	api := &eksAPI{cfg: cfg, name: name, account: account, endpoint: eksEndpoint(cfg.Region, environ), profile: getenv(environ, "AWS_PROFILE")}
	d, err := api.describe(ctx)
	if err != nil {
		return err
	}
	ca, err := base64.StdEncoding.DecodeString(d.CertificateAuthority.Data)
	if err != nil {
		return &Error{Reason: NoConfig, Text: "eks_cluster " + quote(name) + ": its certificate authority can't be read: " + err.Error(), Err: err}
	}
	c.Config = &rest.Config{Host: d.Endpoint, TLSClientConfig: rest.TLSClientConfig{CAData: ca}}
	c.Config.Wrap(transport.ResettableTokenSourceWrapTransport(transport.NewCachedTokenSource(&eksToken{cluster: name, client: sts.NewFromConfig(cfg)})))
	c.Context, c.EKS = "eks:"+name, &EKS{ARN: d.ARN, Name: name, Region: cfg.Region}
	return nil
}

// eksEndpoint returns the endpoint of EKS in a region. AWS_ENDPOINT_URL_EKS and AWS_ENDPOINT_URL override it, as in the
// SDK.
func eksEndpoint(region string, environ []string) string {
	for _, name := range []string{"AWS_ENDPOINT_URL_EKS", "AWS_ENDPOINT_URL"} {
		if u := getenv(environ, name); u != "" {
			return strings.TrimSuffix(u, "/")
		}
	}
	suffix := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix = "amazonaws.com.cn"
	}
	return "https://eks." + region + "." + suffix
}

// eksToken creates tokens: a token is a presigned request to STS for the caller's identity, which EKS sends to STS.
type eksToken struct {
	cluster string
	client  *sts.Client
}

// Token is called again shortly before the last token expires.
func (t *eksToken) Token() (*oauth2.Token, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*dialTimeout)
	defer cancel()
	made := time.Now()
	p, err := sts.NewPresignClient(t.client, sts.WithPresignClientFromClientOptions(func(o *sts.Options) {
		o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue(clusterHeader, t.cluster), smithyhttp.SetHeaderValue("X-Amz-Expires", "60"))
	})).PresignGetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("getting credentials: AWS: %w", err)
	}
	return &oauth2.Token{
		AccessToken: tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(p.URL)),
		Expiry:      made.Add(tokenLife),
	}, nil
}
