package connect

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
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
	if a, err := arn.Parse(name); err == nil && a.Service == "eks" {
		cfg.Region, name = a.Region, strings.TrimPrefix(a.Resource, "cluster/")
	}
	if cfg.Region == "" {
		return &Error{Reason: NoConfig, Text: "eks_cluster " + quote(name) + ": no AWS region is set", Hint: "Set AWS_REGION, or use the cluster's ARN, which contains the region."}
	}
	d, err := describe(ctx, cfg, name, eksEndpoint(cfg.Region, environ))
	if err != nil {
		return err
	}
	ca, err := base64.StdEncoding.DecodeString(d.CertificateAuthority.Data)
	if err != nil {
		return &Error{Reason: NoConfig, Text: "eks_cluster " + quote(name) + ": its certificate authority can't be read: " + err.Error(), Err: err}
	}
	c.Config = &rest.Config{Host: d.Endpoint, TLSClientConfig: rest.TLSClientConfig{CAData: ca}}
	c.Config.Wrap(transport.TokenSourceWrapTransport(transport.NewCachedTokenSource(&eksToken{cluster: name, client: sts.NewFromConfig(cfg)})))
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

type eksDescription struct {
	ARN                  string `json:"arn"`
	Endpoint             string `json:"endpoint"`
	Status               string `json:"status"`
	CertificateAuthority struct {
		Data string `json:"data"`
	} `json:"certificateAuthority"`
}

// describe calls EKS's DescribeCluster.
func describe(ctx context.Context, cfg aws.Config, name, endpoint string) (*eksDescription, error) {
	fail := func(reason Reason, text, hint string, err error) (*eksDescription, error) {
		return nil, &Error{Reason: reason, Text: "eks_cluster " + quote(name) + " in " + cfg.Region + ": " + text, Hint: hint, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*dialTimeout)
	defer cancel()
	credentials, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return fail(NoPlugin, "no AWS credentials: "+oneLine(err.Error()), "Log in (for example with `aws sso login`), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"/clusters/"+url.PathEscape(name), nil)
	if err == nil {
		err = v4.NewSigner().SignHTTP(ctx, credentials, req, emptySHA256, "eks", cfg.Region, time.Now())
	}
	if err != nil {
		return fail(NoConfig, err.Error(), "", err)
	}
	client := cfg.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return fail(Unreachable, "EKS does not respond: "+network(err), "", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return fail(Unreachable, "EKS sent an incomplete response: "+err.Error(), "", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return fail(NoContext, "there is no such cluster in this region and account", "", errors.New(resp.Status))
	case http.StatusForbidden, http.StatusUnauthorized:
		return fail(Forbidden, "AWS denied the request: "+awsMessage(body, resp), "The permission eks:DescribeCluster is required.", errors.New(resp.Status))
	default:
		return fail(Unreachable, awsMessage(body, resp), "", errors.New(resp.Status))
	}
	var d struct {
		Cluster eksDescription `json:"cluster"`
	}
	if err := json.Unmarshal(body, &d); err != nil {
		return fail(Unreachable, "EKS sent a response that can't be parsed: "+err.Error(), "", err)
	}
	if d.Cluster.Endpoint == "" {
		return fail(Unreachable, "the cluster has no endpoint yet; its status is "+strings.ToLower(d.Cluster.Status), "", nil)
	}
	return &d.Cluster, nil
}

func awsMessage(body []byte, resp *http.Response) string {
	var m struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &m) == nil && m.Message != "" {
		return m.Message
	}
	return resp.Status
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
