package testcluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Identity is who sends requests to an S3 server.
type Identity struct{ AccessKey, SecretKey string }

// Identity creates a user of a guarded gateway who may do what an IAM policy allows, and nothing else.
func (g *Gateway) Identity(ctx context.Context, name, policy string) Identity {
	g.t.Helper()
	var created struct {
		Result struct {
			AccessKey struct {
				ID     string `xml:"AccessKeyId"`
				Secret string `xml:"SecretAccessKey"`
			}
		} `xml:"CreateAccessKeyResult"`
	}
	for _, c := range []struct {
		request url.Values
		answer  any
	}{
		{url.Values{"Action": {"CreateUser"}, "UserName": {name}}, nil},
		{url.Values{"Action": {"PutUserPolicy"}, "UserName": {name}, "PolicyName": {"own"}, "PolicyDocument": {policy}}, nil},
		{url.Values{"Action": {"CreateAccessKey"}, "UserName": {name}}, &created},
	} {
		if err := g.ask(ctx, c.request, c.answer); err != nil {
			g.t.Fatalf("%s: %v", c.request.Get("Action"), err)
		}
	}
	key := created.Result.AccessKey
	if key.ID == "" || key.Secret == "" {
		g.t.Fatal("the server of identities created no access key")
	}
	return Identity{key.ID, key.Secret}
}

// ask sends a request of the IAM API, and decodes its answer.
func (g *Gateway) ask(ctx context.Context, values url.Values, into any) error {
	values.Set("Version", "2010-05-08")
	body := values.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.iam+"/", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	sum := sha256.Sum256([]byte(body))
	root := aws.Credentials{AccessKeyID: g.c.S3AccessKey, SecretAccessKey: g.c.S3SecretKey}
	if err := v4.NewSigner().SignHTTP(ctx, root, r, hex.EncodeToString(sum[:]), "iam", "us-east-1", time.Now()); err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return err
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("%s: %s", answer.Status, text)
	case into == nil:
		return nil
	}
	return xml.Unmarshal(text, into)
}
