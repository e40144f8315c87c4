package connect

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// eksAPI asks EKS about one cluster.
type eksAPI struct {
	cfg      aws.Config
	name     string
	account  string // that the cluster's ARN names; "": any
	endpoint string
	profile  string // "": the default one
}

type eksDescription struct {
	ARN                  string `json:"arn"`
	Endpoint             string `json:"endpoint"`
	Status               string `json:"status"`
	CertificateAuthority struct {
		Data string `json:"data"`
	} `json:"certificateAuthority"`
}

// eksPauses are the pauses before EKS is asked again, if it is busy or fails.
var eksPauses = []time.Duration{300 * time.Millisecond, time.Second, 3 * time.Second}

// eksFault is an answer of EKS that reports an error.
type eksFault struct {
	status  int
	code    string // such as ExpiredTokenException
	message string
}

func (f *eksFault) Error() string {
	if f.message != "" {
		return f.message
	}
	return fmt.Sprintf("%d %s", f.status, http.StatusText(f.status))
}

// describe calls DescribeCluster.
func (a *eksAPI) describe(ctx context.Context) (*eksDescription, error) {
	var d struct {
		Cluster eksDescription `json:"cluster"`
	}
	err := a.get(ctx, "/clusters/"+url.PathEscape(a.name), &d)
	var f *eksFault
	switch {
	case errors.As(err, &f):
		return nil, a.explain(ctx, f)
	case err != nil:
		return nil, err
	}
	if found, err := arn.Parse(d.Cluster.ARN); err == nil && a.account != "" && found.AccountID != a.account {
		return nil, a.fail(NoContext, "the credentials are for the account "+found.AccountID+", and the ARN of the cluster names "+a.account,
			"Set AWS_PROFILE to a profile for that account.", nil)
	}
	switch status := strings.ToLower(d.Cluster.Status); {
	case status == "creating" || status == "pending" || status == "deleting" || status == "failed":
		hint := ""
		if status == "creating" || status == "pending" {
			hint = "Wait until it is active: aws eks wait cluster-active --name " + a.name
		}
		return nil, a.fail(Unreachable, "the cluster can't be used: its status is "+status, hint, nil)
	case d.Cluster.Endpoint == "":
		return nil, a.fail(Unreachable, "the cluster has no endpoint yet; its status is "+status, "", nil)
	}
	return &d.Cluster, nil
}

// explain explains an error that EKS reports.
func (a *eksAPI) explain(ctx context.Context, f *eksFault) error {
	switch {
	case f.status == http.StatusNotFound:
		return a.noCluster(ctx, f)
	case slices.Contains([]string{"ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
		"SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken", "RequestExpired"}, f.code) || f.status == http.StatusUnauthorized:
		hint := a.login()
		if strings.Contains(f.message, "Signature") {
			hint = "If the clock of this machine is wrong, correct it. " + hint
		}
		return a.fail(NoPlugin, "AWS does not accept the credentials: "+f.Error(), hint, f)
	case f.status == http.StatusForbidden:
		return a.fail(Forbidden, "AWS denied the request: "+f.Error(), "The permission eks:DescribeCluster is required.", f)
	}
	return a.fail(Unreachable, f.Error(), "", f)
}

// noCluster reports that there is no such cluster, and which there are.
func (a *eksAPI) noCluster(ctx context.Context, f *eksFault) error {
	var l struct {
		Clusters []string `json:"clusters"`
	}
	hint := ""
	if a.get(ctx, "/clusters", &l) == nil { // without the permission, the error alone is reported
		switch near := nearest(a.name, l.Clusters); {
		case len(l.Clusters) == 0:
			hint = "There are no clusters in this region: check the region, or set AWS_PROFILE to a profile for another account."
		case near != "":
			hint = "Did you mean " + quote(near) + "? The clusters are: " + list(l.Clusters)
		default:
			hint = "The clusters are: " + list(l.Clusters)
		}
	}
	return a.fail(NoContext, "there is no such cluster in this region and account", hint, f)
}

// login returns how to get new credentials.
func (a *eksAPI) login() string {
	command := "aws sso login"
	if a.profile != "" {
		command += " --profile " + a.profile
	}
	return "Log in (for example with `" + command + "`), or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
}

func (a *eksAPI) fail(reason Reason, text, hint string, err error) error {
	return &Error{Reason: reason, Text: "eks_cluster " + quote(a.name) + " in " + a.cfg.Region + ": " + text, Hint: hint, Err: err}
}

// get decodes the answer to a request, and repeats the request if EKS is busy or fails. Errors are *eksFault and *Error.
func (a *eksAPI) get(ctx context.Context, path string, to any) error {
	for try := 0; ; try++ {
		err := a.getOnce(ctx, path, to)
		var f *eksFault
		if try == len(eksPauses) || !errors.As(err, &f) || f.status != http.StatusTooManyRequests && f.status < 500 && !strings.Contains(f.code, "Throttl") {
			return err
		}
		select {
		case <-time.After(eksPauses[try]):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (a *eksAPI) getOnce(ctx context.Context, path string, to any) error {
	ctx, cancel := context.WithTimeout(ctx, 3*dialTimeout)
	defer cancel()
	credentials, err := a.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return a.fail(NoPlugin, "no AWS credentials: "+oneLine(err.Error()), a.login(), err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.endpoint+path, nil)
	if err == nil {
		err = v4.NewSigner().SignHTTP(ctx, credentials, req, emptySHA256, "eks", a.cfg.Region, time.Now())
	}
	if err != nil {
		return a.fail(NoConfig, err.Error(), "", err)
	}
	client := a.cfg.HTTPClient
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return a.fail(Unreachable, "EKS does not respond: "+network(err), "", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return a.fail(Unreachable, "EKS sent an incomplete response: "+err.Error(), "", err)
	}
	if resp.StatusCode != http.StatusOK {
		return newFault(resp, body)
	}
	if err := json.Unmarshal(body, to); err != nil {
		return a.fail(Unreachable, "EKS sent a response that can't be parsed: "+err.Error(), "", err)
	}
	return nil
}

// newFault reads the code of an error from the header or the body.
func newFault(resp *http.Response, body []byte) *eksFault {
	var m struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.Unmarshal(body, &m) // some proxies answer with HTML
	code := resp.Header.Get("X-Amzn-Errortype")
	for _, other := range []string{m.Type, m.Code} {
		if code == "" {
			code = other
		}
	}
	code, _, _ = strings.Cut(code, ":")
	if at := strings.LastIndexByte(code, '#'); at >= 0 {
		code = code[at+1:]
	}
	return &eksFault{resp.StatusCode, code, oneLine(m.Message)}
}

// explain replaces the hint of an error about credentials: those of EKS don't come from a kubeconfig.
func (e *EKS) explain(err *Error) *Error {
	out := *err
	out.Hint = "If they have expired, log in (for example with `aws sso login`), or check AWS_PROFILE."
	if err.Reason == Unauthorized {
		out.Text = "the API server does not accept the AWS credentials: they have expired, or their role or user has no access to the cluster"
		out.Hint = "`aws sts get-caller-identity` prints the role or user. It needs an access entry: " +
			"aws eks create-access-entry --cluster-name " + e.Name + " --region " + e.Region + " --principal-arn ARN"
	}
	return &out
}
