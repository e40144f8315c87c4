package s3

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"

	"pipec.dev/pipec/runtime/store"
	"pipec.dev/pipec/schema/program"
)

// Timeouts and retries of a request. store.Retrying handles longer outages.
const (
	stall      = 2 * time.Minute // without a byte going either way
	attempts   = 5
	firstDelay = 200 * time.Millisecond
)

// customRegion is the region of servers that have none. All of them accept it.
const customRegion = "us-east-1"

type connection struct {
	client           *sdk.Client
	credentials      *credentials
	endpoint, region string
	idle             func()
}

func connect(ctx context.Context, s *program.Store, o *Options) (*connection, error) {
	endpoint, err := checkEndpoint(s.Endpoint)
	if err != nil {
		return nil, err
	}
	transport := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DialContext = dial
		t.MaxIdleConnsPerHost = 64
		t.ResponseHeaderTimeout = stall
	})
	given, err := fromEnviron(o.Environ)
	if err != nil {
		return nil, err
	}
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(transport),
		config.WithLogger(logging.Nop{}),
		config.WithAppID("pipec"),
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
		config.WithRetryer(func() aws.Retryer { return newRetryer(o.MaxBackoff) }),
		config.WithEC2RoleCredentialOptions(oneTry),
	)
	if err != nil {
		return nil, &store.Fault{Text: "the configuration of AWS on this machine can't be used: " + plain(err), Err: err}
	}
	if endpoint == "" && cfg.BaseEndpoint != nil {
		endpoint = *cfg.BaseEndpoint
	}
	region := s.Region
	if region == "" {
		region = cfg.Region
	}
	if region == "" && endpoint != "" {
		region = customRegion
	}
	if region == "" {
		return nil, &store.Fault{Text: fmt.Sprintf("the region of %s is not known: set `region` of the artifact_store, or AWS_REGION", s.Path)}
	}
	web := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if t, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok { // with the authorities of the configuration
		web.Transport = t.GetTransport()
	}
	creds := newCredentials(given, cfg.Credentials, o.Environ)
	client := sdk.NewFromConfig(cfg, func(c *sdk.Options) {
		c.HTTPClient = web
		c.Region, c.UsePathStyle, c.Credentials = region, s.PathStyle, aws.NewCredentialsCache(creds)
		if s.Endpoint != "" {
			c.BaseEndpoint = &endpoint
		} else if c.BaseEndpoint != nil { // of the environment or the profile, for S3 alone
			endpoint = *c.BaseEndpoint
		}
	})
	return &connection{client: client, credentials: creds, endpoint: endpoint, region: region, idle: web.CloseIdleConnections}, nil
}

func newRetryer(maxBackoff time.Duration) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, _ error) (time.Duration, error) {
			longest := min(firstDelay<<min(attempt-1, attempts), maxBackoff)
			return longest/2 + rand.N(longest/2+1), nil
		})
		o.RateLimiter = ratelimit.None // what many parts meet at once is still to be tried again, each
		o.Retryables = append(o.Retryables, retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}})
	})
}

// oneTry makes a machine outside of EC2 not wait for the EC2 service that provides credentials.
func oneTry(o *ec2rolecreds.Options) {
	if o.Client == nil {
		o.Client = imds.New(imds.Options{
			HTTPClient: &http.Client{Timeout: time.Second}, Retryer: aws.NopRetryer{},
		})
	}
}

func checkEndpoint(endpoint string) (string, error) {
	if endpoint == "" {
		return "", nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		shown := endpoint
		if u != nil {
			shown = u.Redacted()
		} else {
			shown = "the endpoint"
		}
		return "", &store.Fault{Text: fmt.Sprintf("%s is not an address of an S3 server: expected http(s)://HOST:PORT", shown)}
	}
	return strings.TrimSuffix(endpoint, "/"), nil
}
