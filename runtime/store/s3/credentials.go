package s3

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdkcreds "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"pipec.dev/pipec/runtime/store"
)

// Prefix is the prefix of the variables that hold the store's own credentials.
const Prefix = "PIPEC_STORE_"

const (
	envID     = "AWS_ACCESS_KEY_ID"
	envSecret = "AWS_SECRET_ACCESS_KEY"
	envToken  = "AWS_SESSION_TOKEN"
)

// fromEnviron returns the credentials of the environment, or nil if there are none.
func fromEnviron(environ func(string) (string, bool)) (aws.CredentialsProvider, error) {
	for _, prefix := range []string{Prefix, ""} {
		get := func(name string) string {
			value, _ := environ(prefix + name)
			return strings.TrimSpace(value) // of a Secret made from a file
		}
		id, secret := get(envID), get(envSecret)
		switch {
		case id == "" && secret == "":
			continue
		case secret == "":
			return nil, &store.Fault{Class: store.Denied, Text: prefix + envID + " is set, and " + prefix + envSecret + " is not"}
		case id == "":
			return nil, &store.Fault{Class: store.Denied, Text: prefix + envSecret + " is set, and " + prefix + envID + " is not"}
		}
		p := sdkcreds.NewStaticCredentialsProvider(id, secret, get(envToken))
		p.Value.Source = prefix + envID
		return p, nil
	}
	return nil, nil
}

// credentials are those of the environment, or else those that the SDK finds.
type credentials struct {
	aws.CredentialsProvider
	looked string // where, for a person
	asked  bool   // something that takes the network was set up: its failure may pass
	source atomic.Value
}

func newCredentials(given, chain aws.CredentialsProvider, environ func(string) (string, bool)) *credentials {
	c := &credentials{CredentialsProvider: given}
	if given != nil {
		return c
	}
	c.CredentialsProvider = chain
	profile := "the profile \"default\""
	if name, ok := environ("AWS_PROFILE"); ok && name != "" {
		profile = "the profile \"" + name + "\""
	}
	c.looked = Prefix + envID + ", " + envID + ", " + profile + " of ~/.aws, AWS_WEB_IDENTITY_TOKEN_FILE, " +
		"AWS_CONTAINER_CREDENTIALS_FULL_URI, the role of this machine"
	for _, name := range []string{"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"} {
		value, _ := environ(name)
		c.asked = c.asked || value != ""
	}
	return c
}

// Retrieve returns the credentials. Its errors are a *store.Fault.
func (c *credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	got, err := c.CredentialsProvider.Retrieve(ctx)
	if err == nil {
		c.source.Store(got.Source)
		return got, nil
	}
	if ctx.Err() != nil {
		return got, err
	}
	f := &store.Fault{Class: store.Denied, Err: err}
	_, network := errors.AsType[net.Error](err)
	api, refused := errors.AsType[smithy.APIError](err)
	switch {
	case c.asked && network && !refused:
		f.Class = store.Transient
		f.Text = "the role of the service account gives no credentials: " + plain(err)
	case refused:
		f.Text = "getting credentials failed: " + api.ErrorCode() + ": " + api.ErrorMessage()
	case c.asked:
		f.Text = "the role of the service account gives no credentials: " + plain(err)
	case strings.Contains(err.Error(), "SSO"), strings.Contains(err.Error(), "sso"):
		f.Text = "the session of AWS SSO is missing or has expired: run `aws sso login`"
	default:
		f.Text = "no credentials were found (looked in " + c.looked + ")"
	}
	return got, f
}

// Source returns where the credentials are from, or "" before they were used.
func (c *credentials) Source() string {
	source, _ := c.source.Load().(string)
	return source
}
