package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/google/go-containerregistry/pkg/authn"
)

// ecrTimeout limits the search for AWS credentials in all their sources.
const ecrTimeout = 20 * time.Second

// hostECR matches ACCOUNT.dkr.ecr.REGION.amazonaws.com, and its variants for FIPS and China.
var hostECR = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[0-9]{12}\.dkr\.ecr(-fips)?\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$`)
})

func isECR(host string) bool {
	return strings.Contains(host, ".dkr.ecr") && hostECR().MatchString(host)
}

// ecrTokens gets tokens from ECR, and reuses one per registry until it expires.
type ecrTokens struct {
	mu    sync.Mutex
	known map[string]ecrToken
}

type ecrToken struct {
	auth    authn.AuthConfig
	expires time.Time
}

// ecrAuth gets the token for each request, because an upload may take longer than a token is valid.
type ecrAuth struct {
	tokens *ecrTokens
	host   string
}

// Authorization calls AuthorizationContext without a deadline.
func (a *ecrAuth) Authorization() (*authn.AuthConfig, error) {
	return a.AuthorizationContext(context.Background())
}

// AuthorizationContext returns the token that is valid now.
func (a *ecrAuth) AuthorizationContext(ctx context.Context) (*authn.AuthConfig, error) {
	return a.tokens.token(ctx, a.host)
}

func newECR() *ecrTokens { return &ecrTokens{known: map[string]ecrToken{}} }

// forget makes the next request get a new token: the registry doesn't accept the known one any more.
func (e *ecrTokens) forget(host string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.known, host)
}

// token returns the credentials for an ECR host.
func (e *ecrTokens) token(ctx context.Context, host string) (*authn.AuthConfig, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t, ok := e.known[host]; ok && time.Now().Before(t.expires) {
		return &t.auth, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ecrTimeout)
	defer cancel()
	client, err := ecrClient(ctx, host)
	if err != nil {
		return nil, err
	}
	out, err := client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})
	if err != nil {
		return nil, fmt.Errorf("AWS: %w", err)
	}
	t, err := readToken(out)
	if err != nil {
		return nil, err
	}
	e.known[host] = t
	return &t.auth, nil
}

// ecrClient returns a client for the API of an ECR host, with the credentials of the SDK's default chain.
func ecrClient(ctx context.Context, host string) (*ecr.Client, error) {
	match := hostECR().FindStringSubmatch(host)
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(match[2]))
	if err != nil {
		return nil, fmt.Errorf("AWS: %w", err)
	}
	return ecr.NewFromConfig(cfg, func(o *ecr.Options) {
		if match[1] != "" {
			o.EndpointOptions.UseFIPSEndpoint = aws.FIPSEndpointStateEnabled
		}
	}), nil
}

// readToken decodes base64 of USER:PASSWORD. Its errors contain no part of it.
func readToken(out *ecr.GetAuthorizationTokenOutput) (t ecrToken, err error) {
	if len(out.AuthorizationData) == 0 || out.AuthorizationData[0].AuthorizationToken == nil {
		return t, errors.New("AWS: ECR gave no token")
	}
	data := out.AuthorizationData[0]
	plain, err := base64.StdEncoding.DecodeString(*data.AuthorizationToken)
	user, password, ok := strings.Cut(string(plain), ":")
	if err != nil || !ok {
		return t, errors.New("AWS: ECR gave a token that can't be read")
	}
	t.auth = authn.AuthConfig{Username: user, Password: password}
	t.expires = time.Now().Add(time.Minute)
	if data.ExpiresAt != nil {
		t.expires = data.ExpiresAt.Add(-time.Minute)
	}
	return t, nil
}
